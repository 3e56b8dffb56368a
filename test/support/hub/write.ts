// Copies of all benchmark data sets in small: 4 to 10 drawn rows each, in the files and columns of the
// originals as `huggingface-cli download` leaves them, and what a model should reply to each row.
import { mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import sharp from 'sharp';
import { sha256Hex } from '../../../src/core/hash.ts';
import {
  blobValue,
  type DuckDBValue,
  listValue,
  openColumns,
  sqlText,
  structValue,
} from '../../../src/sample/columns.ts';
import { GENERAL } from './general.ts';
import { OCR_CHART } from './ocr-chart.ts';
import { OTHER } from './other.ts';
import { REASONING } from './reasoning.ts';
import {
  type Cell,
  type ColumnType,
  type HubSet,
  PICTURE,
  type SetRow,
  type Wanted,
} from './row.ts';

export const HUB_SETS: readonly HubSet[] = [...GENERAL, ...REASONING, ...OCR_CHART, ...OTHER];

/** What to reply, by the hash of the picture, or by a piece of the text where there is none. */
export interface ReplyPlan {
  readonly benchmark: string;
  readonly wanted: Wanted;
  reply(question: string): string;
}

const SQL_TYPES: Readonly<Record<ColumnType, string>> = {
  VARCHAR: 'VARCHAR',
  BIGINT: 'BIGINT',
  'VARCHAR[]': 'VARCHAR[]',
  'BIGINT[]': 'BIGINT[]',
  image: 'STRUCT(bytes BLOB, path VARCHAR)',
  base64: 'VARCHAR',
  images: 'STRUCT(bytes BLOB, path VARCHAR)[]',
};

/** Writes all sets below a folder. @returns the plans by picture hash or question */
export async function writeHubSets(
  root: string,
  sets: readonly HubSet[] = HUB_SETS,
): Promise<Map<string, ReplyPlan>> {
  const plans = new Map<string, ReplyPlan>();
  using columns = await openColumns({ memoryMiB: 256 });
  let number = 0;
  for (const [place, set] of sets.entries()) {
    const names = Object.keys(set.columns);
    const path = join(root, set.file);
    mkdirSync(dirname(path), { recursive: true });
    const rows: DuckDBValue[][] = [];
    for (const row of set.rows) {
      number += 1;
      const bytes =
        row.wanted === 'skipped' ? Buffer.from(`no picture ${number}`) : await draw(number);
      const hasPicture = Object.values(row.cells).includes(PICTURE);
      const key = hasPicture ? sha256Hex(bytes) : String(row.cells['question']);
      plans.set(key, planOf(set.name, row));
      rows.push(
        names.map((name) => cellValue(set.columns[name] as ColumnType, row.cells[name], bytes)),
      );
    }
    const types = names.map((name) => SQL_TYPES[set.columns[name] as ColumnType]);
    const fields = names.map((name, i) => `"${name}" ${types[i]}`).join(', ');
    await columns.run(`CREATE TABLE t${place} (${fields})`);
    await columns.insert(`t${place}`, rows);
    const format = path.endsWith('.tsv') ? "FORMAT csv, DELIMITER '\t', HEADER" : 'FORMAT parquet';
    await columns.run(`COPY t${place} TO ${sqlText(path)} (${format})`);
  }
  return plans;
}

function planOf(benchmark: string, { wanted, right, wrong }: SetRow): ReplyPlan {
  const reply = (question: string): string => {
    if (wanted === 'wrong') return wrong;
    if (wanted === 'unparsed') return '';
    return typeof right === 'string' ? right : right(question);
  };
  return { benchmark, wanted, reply };
}

/** A picture that no other row has. */
async function draw(number: number): Promise<Uint8Array> {
  const background = { r: number % 256, g: (number * 37) % 256, b: (number * 101) % 256 };
  const create = { width: 28, height: 28, channels: 3 as const, background };
  return await sharp({ create }).png().toBuffer();
}

function cellValue(type: ColumnType, cell: Cell | undefined, bytes: Uint8Array): DuckDBValue {
  if (cell === undefined || cell === null) return null;
  if (cell === PICTURE) {
    if (type === 'base64') return Buffer.from(bytes).toString('base64');
    const picture = structValue({ bytes: blobValue(bytes), path: null });
    return type === 'images' ? listValue([picture]) : picture;
  }
  if (typeof cell === 'string') return cell;
  if (typeof cell === 'number') return BigInt(cell);
  return listValue(cell.map((one) => (typeof one === 'number' ? BigInt(one) : one)));
}
