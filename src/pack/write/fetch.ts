// Samples fetched by the byte ranges of their records, images still encoded, into memory that is used
// again for the next pack.
import { OneVisionError } from '../../core/errors.ts';
import type { Sample } from '../../sample/sample.ts';
import { sampleOfRecord } from '../../sample/shards/read-samples.ts';
import { recordOfParts } from '../../sample/sources/rows/parts.ts';
import { type RecordContext, toSample } from '../../sample/sources/rows/record.ts';
import { isOurRecord } from '../../sample/sources/webdataset.ts';
import { FilePool, sliceMembers } from '../ranges.ts';
import type { PackedSample } from '../record.ts';
import type { Placement } from './placement.ts';

/** An archive, and what records that are not ours become samples with. */
export interface Archive {
  readonly path: string;
  readonly context: RecordContext;
}

export class SampleFetcher {
  readonly #archives: readonly Archive[];
  readonly #pool = new FilePool();
  #memory: Buffer<ArrayBuffer> = Buffer.allocUnsafe(1024 * 1024);

  constructor(archives: readonly Archive[]) {
    this.#archives = archives;
  }

  /**
   * The samples of one pack. Their bytes are overwritten by the next call.
   * @throws OneVisionError 'data' when a record is not where it was measured.
   */
  async fetch(placement: Placement, pack: number): Promise<PackedSample[]> {
    const { ends, starts, sizes, files, tokens, patches, copies } = placement;
    const from = ends[pack] ?? 0;
    const to = ends[pack + 1] ?? from;
    const total = sizes.subarray(from, to).reduce((sum, size) => sum + size, 0);
    if (total > this.#memory.length) this.#memory = Buffer.allocUnsafe(2 * total);
    let used = 0;
    const samples: PackedSample[] = [];
    for (let at = from; at < to; at += 1) {
      const [start = 0, size = 0] = [starts[at], sizes[at]];
      const archive = this.#archives[files[at] ?? 0];
      if (archive === undefined) throw new RangeError(`no archive ${files[at]}`);
      const target = this.#memory.subarray(used, used + size);
      used += size;
      const slice = this.#pool.read(archive.path, start, size, target);
      const counted = {
        tokens: tokens[at] ?? 0,
        patches: patches[at] ?? 0,
        copy: copies[at] ?? 0,
      };
      samples.push({ ...(await readRecord(slice, archive, start)), ...counted });
    }
    return samples;
  }

  close(): void {
    this.#pool.close();
  }
}

async function readRecord(slice: Buffer, archive: Archive, start: number): Promise<Sample> {
  try {
    const members = sliceMembers(slice, archive.path);
    const key = members[0]?.key ?? '';
    const parts = new Map(members.map(({ part, bytes }) => [part, bytes]));
    if (isOurRecord({ parts }))
      return sampleOfRecord({ key, parts, start, size: 0, oversize: false });
    return await toSample(recordOfParts(parts, key), archive.context);
  } catch (cause) {
    const what = cause instanceof Error ? cause.message : String(cause);
    throw new OneVisionError(
      'data',
      `expected the sample measured at byte ${start} of ${archive.path}, came: ${what}`,
      { hint: 'the archive was changed while it was packed: run the pack stage again', cause },
    );
  }
}
