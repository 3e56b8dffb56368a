// What each pack costs, as a parquet file beside the packs: reports and orders read it instead of the
// archives.
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fillFileAtomic } from '../../core/files.ts';
import { openColumns, sqlText } from '../../sample/columns.ts';
import type { ManifestFile } from '../../sample/manifest.ts';
import type { Lengths } from '../plan.ts';
import type { PackMembers } from '../write.ts';

export const PACK_TABLE = 'packs.parquet';

/** One pack. */
export interface PackCost {
  readonly pack: number;
  readonly segments: number;
  readonly tokens: number;
  readonly patches: number;
  /** Σ (tokens of a segment)²: what attention of the decoder costs. */
  readonly squares: number;
  /** Σ (patches of a segment)²: what attention of the tower costs. */
  readonly patchSquares: number;
}

/** Writes the table, one row a pack in order. */
export async function writePackTable(
  dir: string,
  packs: PackMembers,
  lengths: Lengths,
): Promise<ManifestFile> {
  const path = join(dir, PACK_TABLE);
  using columns = await openColumns({ memoryMiB: 512 });
  await columns.run(`CREATE TABLE packs (pack UINTEGER, segments UINTEGER, tokens UINTEGER,
    patches UINTEGER, squares DOUBLE, patch_squares DOUBLE)`);
  await columns.insert('packs', costs(packs, lengths));
  await fillFileAtomic(path, (temporary) =>
    columns.run(`COPY packs TO ${sqlText(temporary)} (FORMAT parquet, COMPRESSION zstd)`),
  );
  const bytes = readFileSync(path);
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  return { name: PACK_TABLE, bytes: bytes.length, sha256, count: packs.starts.length - 1 };
}

/** Reads the table. @throws OneVisionError 'data' when it is missing. */
export async function readPackTable(dir: string): Promise<PackCost[]> {
  return Array.fromAsync(packRows(dir));
}

/** The rows of the table one by one, in order. @throws OneVisionError 'data' when it is missing. */
export async function* packRows(dir: string): AsyncGenerator<PackCost> {
  using columns = await openColumns({ memoryMiB: 512 });
  const sql =
    'SELECT pack, segments, tokens, patches, squares, patch_squares FROM read_parquet($1)';
  for await (const chunk of columns.columnBatches(sql, [join(dir, PACK_TABLE)])) {
    const [pack = [], segments, tokens, patches, squares, patchSquares] = chunk;
    for (const [i, number] of pack.entries()) {
      yield {
        pack: Number(number),
        segments: Number(segments?.[i]),
        tokens: Number(tokens?.[i]),
        patches: Number(patches?.[i]),
        squares: Number(squares?.[i]),
        patchSquares: Number(patchSquares?.[i]),
      };
    }
  }
}

function* costs({ starts, members }: PackMembers, lengths: Lengths): Generator<number[]> {
  for (let pack = 0; pack + 1 < starts.length; pack += 1) {
    let [tokens, patches, squares, patchSquares] = [0, 0, 0, 0];
    const own = members.subarray(starts[pack], starts[pack + 1]);
    for (const sample of own) {
      const length = lengths.tokens[sample] ?? 0;
      const numPatches = lengths.patches[sample] ?? 0;
      tokens += length;
      patches += numPatches;
      squares += length * length;
      patchSquares += numPatches * numPatches;
    }
    yield [pack, own.length, tokens, patches, squares, patchSquares];
  }
}
