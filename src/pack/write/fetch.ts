// Samples fetched where measuring found them, images still encoded: records of archives by their byte
// ranges into memory that is used again for the next pack, others through their source.
import { OneVisionError } from '../../core/errors.ts';
import type { Sample } from '../../sample/sample.ts';
import { sampleOfRecord } from '../../sample/shards/read-samples.ts';
import { withRepeat } from '../../sample/sources/rows/entries.ts';
import { recordOfParts } from '../../sample/sources/rows/parts.ts';
import { type RecordContext, toSample } from '../../sample/sources/rows/record.ts';
import type { RecordPlace, Source, SourceSpec } from '../../sample/sources/source.ts';
import { isOurRecord } from '../../sample/sources/webdataset.ts';
import { FilePool, sliceMembers } from '../ranges.ts';
import type { PackedSample } from '../record.ts';
import type { Placement } from './placement.ts';

/** A shard of a source. */
export interface Archive {
  /** The archive that holds its records by byte range; else they are asked for. */
  readonly path?: string | undefined;
  /** Number of its source. */
  readonly source: number;
  /** What records that are not ours become samples with. */
  readonly context: RecordContext;
}

export class SampleFetcher {
  readonly #archives: readonly Archive[];
  readonly #specs: readonly SourceSpec[];
  readonly #sources: (Source | undefined)[] = [];
  readonly #pool = new FilePool();
  #memory: Buffer<ArrayBuffer> = Buffer.allocUnsafe(1024 * 1024);
  /** Samples that lie in no archive, by archive and start. */
  #gathered = new Map<number, Map<number, Sample>>();

  constructor(archives: readonly Archive[], specs: readonly SourceSpec[]) {
    this.#archives = archives;
    this.#specs = specs;
  }

  /**
   * Reads all samples of a placement that lie in no archive, shard by shard of their sources in the
   * order of the files: as much in memory as they take in one shard of packs. Call it before `fetch`.
   * @throws OneVisionError 'data' when a record is not where it was measured.
   */
  async gather({ starts, sizes, numbers, files }: Placement): Promise<void> {
    this.#gathered = new Map();
    const wanted = new Map<number, Map<number, RecordPlace>>();
    files.forEach((file, i) => {
      if (this.#archive(file).path !== undefined) return;
      const places = wanted.get(file) ?? new Map<number, RecordPlace>();
      const start = starts[i] ?? 0;
      places.set(start, { start, size: sizes[i], number: numbers[i] });
      wanted.set(file, places);
    });
    for (const [file, places] of [...wanted].sort(([a], [b]) => a - b)) {
      const rising = [...places.values()].sort((a, b) => a.start - b.start);
      this.#gathered.set(file, await this.#readAgain(this.#archive(file), rising));
    }
  }

  /**
   * The samples of one pack. Their bytes are overwritten by the next call.
   * @throws OneVisionError 'data' when a record is not where it was measured.
   */
  async fetch(placement: Placement, pack: number): Promise<PackedSample[]> {
    const { ends, starts, sizes, files, repeats, tokens, patches, copies } = placement;
    const from = ends[pack] ?? 0;
    const to = ends[pack + 1] ?? from;
    const total = sizes.subarray(from, to).reduce((sum, size) => sum + size, 0);
    if (total > this.#memory.length) this.#memory = Buffer.allocUnsafe(2 * total);
    let used = 0;
    const samples: PackedSample[] = [];
    for (let at = from; at < to; at += 1) {
      const [start = 0, size = 0, file = 0] = [starts[at], sizes[at], files[at]];
      const target = this.#memory.subarray(used, used + size);
      used += size;
      const sample = this.#gathered.get(file)?.get(start);
      const read = sample ?? (await this.#readRecord(this.#archive(file), start, target));
      samples.push({
        ...withRepeat(read, repeats[at] ?? 1),
        tokens: tokens[at] ?? 0,
        patches: patches[at] ?? 0,
        copy: copies[at] ?? 0,
      });
    }
    return samples;
  }

  close(): void {
    this.#pool.close();
  }

  #archive(file: number): Archive {
    const archive = this.#archives[file];
    if (archive === undefined) throw new RangeError(`no archive ${file}`);
    return archive;
  }

  async #readAgain(archive: Archive, places: readonly RecordPlace[]): Promise<Map<number, Sample>> {
    const { shard: name = '', imageRoot } = archive.context;
    const samples = new Map<number, Sample>();
    const next = (): number => places[samples.size]?.start ?? 0;
    try {
      const source = await this.#source(archive.source);
      for await (const sample of source.again({ name, count: undefined }, places)) {
        samples.set(next(), sample);
      }
      if (samples.size < places.length) throw new Error('the file ends before');
      return samples;
    } catch (cause) {
      throw moved(`record ${next()} of ${name} in ${imageRoot}`, cause);
    }
  }

  async #source(number: number): Promise<Source> {
    const spec = this.#specs[number];
    if (spec === undefined) throw new RangeError(`no source ${number}`);
    // Loads DuckDB: a tenth of a second of which archives need nothing.
    const { openSource } = await import('../../sample/sources/open.ts');
    const source = this.#sources[number] ?? (await openSource(spec));
    this.#sources[number] = source;
    return source;
  }

  async #readRecord(
    { path = '', context }: Archive,
    start: number,
    target: Buffer,
  ): Promise<Sample> {
    const slice = this.#pool.read(path, start, target.length, target);
    try {
      const members = sliceMembers(slice, path);
      const key = members[0]?.key ?? '';
      const parts = new Map(members.map(({ part, bytes }) => [part, bytes]));
      if (isOurRecord({ parts })) {
        return sampleOfRecord({ key, parts, start, size: 0, oversize: false });
      }
      return await toSample(recordOfParts(parts, key), context);
    } catch (cause) {
      throw moved(`byte ${start} of ${path}`, cause);
    }
  }
}

function moved(where: string, cause: unknown): OneVisionError {
  const what = cause instanceof Error ? cause.message : String(cause);
  return new OneVisionError('data', `expected the sample measured at ${where}, came: ${what}`, {
    hint: 'the file was changed while it was packed: run the pack stage again',
    cause,
  });
}
