// Groups the members of a tar archive into records: neighbours with one key, the file name up to its
// first dot. Bounded: a record that is too large is named, not held. Knows nothing of samples.
import { readTar, TAR_BLOCK } from '../tar.ts';

export interface TarRecord {
  readonly key: string;
  /** Part (the name after the first dot) → content. */
  readonly parts: ReadonlyMap<string, Buffer>;
  /** Byte range in the archive, headers and padding included. */
  readonly start: number;
  readonly size: number;
  /** Why its parts are not all there: it is larger than the limit. */
  readonly oversize: boolean;
}

const MAX_RECORD_BYTES = 256 * 1024 * 1024;
const MAX_PARTS = 4096;

interface OpenRecord {
  readonly key: string;
  readonly parts: Map<string, Buffer>;
  readonly start: number;
  end: number;
  bytes: number;
  oversize: boolean;
}

/**
 * The records of an archive, in order. Members without a dot and those in `__folders__` belong to
 * no record.
 *
 * @throws OneVisionError 'data' where the archive is damaged, after the last whole record. In a cut
 * archive the last record counts as whole when its JSON, which we write last, is there.
 */
export async function* readRecords(path: string): AsyncGenerator<TarRecord, void, undefined> {
  let open: OpenRecord | undefined;
  let failure: unknown;
  try {
    for await (const { name, headerOffset, dataOffset, bytes } of readTar(path)) {
      const dot = name.indexOf('.', name.lastIndexOf('/') + 1);
      if (dot < 0 || name.startsWith('__')) continue;
      const key = name.slice(0, dot);
      if (open !== undefined && open.key !== key) {
        yield close(open);
        open = undefined;
      }
      open ??= { key, parts: new Map(), start: headerOffset, end: 0, bytes: 0, oversize: false };
      open.end = dataOffset + Math.ceil(bytes.length / TAR_BLOCK) * TAR_BLOCK;
      add(open, name.slice(dot + 1), bytes);
    }
  } catch (error) {
    failure = error;
  }
  if (open !== undefined && (failure === undefined || open.parts.has('json'))) yield close(open);
  if (failure !== undefined) throw failure;
}

function add(record: OpenRecord, part: string, bytes: Buffer): void {
  record.bytes += bytes.length;
  record.oversize ||= record.bytes > MAX_RECORD_BYTES || record.parts.size >= MAX_PARTS;
  if (record.oversize) record.parts.clear();
  else record.parts.set(part, bytes);
}

function close({ key, parts, start, end, oversize }: OpenRecord): TarRecord {
  return { key, parts, start, size: end - start, oversize };
}
