// Third step: reads the input once more and writes what was kept, by side of the split.
import { createProgress } from '../core/progress.ts';
import type { Sample } from '../sample/sample.ts';
import { readSource, type Source } from '../sample/sources/source.ts';
import { createShardWriter, type ShardFile, type ShardWriter } from '../sample/webdataset.ts';
import type { Decision } from './decide.ts';

/** Shard name prefixes: the sides of the split, and the style that training never sees. */
const SIDES = ['train', 'val', 'test', 'heldout'] as const;
type Side = (typeof SIDES)[number];

/**
 * Write the kept samples of `input`, each with its concepts in `meta.concepts`, in input order. A
 * sample drawn n times comes n times in a row, as `uid`, `uid#2`, ….
 *
 * @param decisions one for each input, in input order.
 * @returns the shards, by name.
 */
export async function writeKept(
  input: Source,
  output: string,
  decisions: readonly Decision[],
  samplesPerShard: number,
): Promise<ShardFile[]> {
  const options = { maxSamples: samplesPerShard };
  const writers = new Map<Side, ShardWriter>(
    SIDES.map((side) => [side, createShardWriter(output, { ...options, prefix: side })]),
  );
  const readable = decisions.filter((decision) => decision.readable);
  using progress = createProgress({ label: 'write', total: readable.length, unit: 'samples' });
  try {
    let at = 0;
    for await (const { sample } of readSource(input)) {
      if (sample === undefined) continue; // the survey has recorded it
      const decision = readable[at++];
      progress.increment();
      if (decision === undefined || decision.copies === 0) continue;
      if (decision.uid !== sample.uid)
        throw new Error(`${input.spec.path} changed while it was read`);
      const writer = writers.get(sideOf(sample));
      for (const copy of copiesOf(sample, decision)) await writer?.write(copy);
    }
    const files: ShardFile[] = [];
    for (const writer of writers.values()) files.push(...(await writer.close()));
    return files.sort((a, b) => (a.name < b.name ? -1 : 1));
  } finally {
    for (const writer of writers.values()) await writer.abort();
  }
}

function sideOf(sample: Sample): Side {
  return sample.meta['heldOutStyle'] === true ? 'heldout' : sample.split;
}

function copiesOf(sample: Sample, decision: Decision): Sample[] {
  const meta = { ...sample.meta, concepts: decision.concepts };
  return Array.from({ length: decision.copies }, (_, i) => {
    const uid = i === 0 ? sample.uid : `${sample.uid}#${i + 1}`;
    return { ...sample, uid, meta };
  });
}
