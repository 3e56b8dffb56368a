// Several pack sets read as one: the packs of the second are numbered after those of the first.

import { OneVisionError } from '../../core/errors.ts';
import { openPacks, type PackReader } from '../../pack/read.ts';
import type { Pack } from '../../pack/record.ts';

/** The pack sets of a stage. */
export interface PackSets {
  readonly readers: readonly PackReader[];
  /** Reads a pack by its number over all sets. */
  read(pack: number): Pack;
  close(): void;
}

/**
 * Opens pack sets and checks that they were counted alike.
 * @throws OneVisionError 'data' when tokenizers or image processors differ.
 */
export function openPackSets(dirs: readonly string[]): PackSets {
  const readers = dirs.map(openPacks);
  const [first] = readers;
  for (const reader of readers.slice(1)) {
    const same = (pick: (reader: PackReader) => unknown): boolean =>
      JSON.stringify(pick(reader)) === JSON.stringify(first && pick(first));
    if (same((r) => r.facts.tokenizer) && same((r) => r.facts.processor)) continue;
    throw new OneVisionError(
      'data',
      `expected the packs of one stage to share tokenizer and image processor, ` +
        `came different ones in ${first?.dir} and ${reader.dir}`,
      { hint: 'pack both again with the same tokenizer and processor' },
    );
  }
  return {
    readers,
    read: (pack) => {
      let local = pack;
      for (const reader of readers) {
        if (local < reader.numPacks) return reader.read(local);
        local -= reader.numPacks;
      }
      throw new RangeError(`no pack ${pack} in ${dirs.join(', ')}`);
    },
    close: () => {
      for (const reader of readers) reader.close();
    },
  };
}
