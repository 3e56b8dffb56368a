// The records of an archive as Megatron-Energon finds them: neighbours with one key, the name up to
// its first dot. Headers only.
import { OneVisionError } from '../../core/errors.ts';
import { paddedSize, tarEntries } from '../../sample/tar.ts';

export interface RecordPart {
  readonly name: string;
  /** Where its content lies. */
  readonly offset: number;
  readonly size: number;
}

export interface RecordPlace {
  readonly key: string;
  /** Byte range with headers, up to the next record. */
  readonly offset: number;
  readonly size: number;
  readonly parts: readonly RecordPart[];
}

/**
 * @throws OneVisionError 'data' for a damaged archive, and for a key that comes twice.
 */
export function* recordPlaces(path: string): Generator<RecordPlace, void, undefined> {
  const seen = new Set<string>();
  let open: { key: string; offset: number; parts: RecordPart[] } | undefined;
  let end = 0;
  const finish = (next: number): RecordPlace[] =>
    open === undefined ? [] : [{ ...open, size: next - open.offset }];
  for (const { name, headerOffset, dataOffset, size } of tarEntries(path)) {
    end = dataOffset + paddedSize(size);
    const dot = name.indexOf('.', name.lastIndexOf('/') + 1);
    if (dot < 0 || /__[^/]*__($|\/)/.test(name)) continue;
    const key = name.slice(0, dot);
    if (key !== open?.key) {
      yield* finish(headerOffset);
      if (seen.has(key)) throw repeated(path, key);
      seen.add(key);
      open = { key, offset: headerOffset, parts: [] };
    }
    open.parts.push({ name: name.slice(dot + 1), offset: dataOffset, size });
  }
  yield* finish(end);
}

export function repeated(path: string, key: string): OneVisionError {
  return new OneVisionError(
    'data',
    `expected every key of ${path} in one place only, came ${key} again`,
    { hint: 'Energon refuses keys that come twice: rename the record or take it out' },
  );
}
