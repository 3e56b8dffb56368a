// The JSON header of a safetensors file: parsed with every claim checked, and written.
import { z } from 'zod';
import { OneVisionError } from '../../core/errors.ts';
import type { DType } from '../dtype.ts';

/** Our dtype and the bytes of one element, by the format's names. */
const FORMAT_DTYPES: Readonly<Record<string, readonly [DType, number]>> = {
  F64: ['float64', 8],
  I64: ['int64', 8],
  U64: ['uint64', 8],
  F32: ['float32', 4],
  I32: ['int32', 4],
  U32: ['uint32', 4],
  BF16: ['bfloat16', 2],
  F16: ['float16', 2],
  I16: ['int16', 2],
  U16: ['uint16', 2],
  F8_E4M3: ['float8_e4m3fn', 1],
  F8_E5M2: ['float8_e5m2', 1],
  I8: ['int8', 1],
  U8: ['uint8', 1],
  BOOL: ['bool', 1],
};

/** Bytes of one element. @throws OneVisionError 'checkpoint' for a type that cannot be stored. */
export function itemBytes(dtype: DType): number {
  return formatOf(dtype, 'a tensor')[1];
}

/** The format's name of a type and its bytes. */
function formatOf(dtype: DType, what: string): readonly [string, number] {
  const found = Object.entries(FORMAT_DTYPES).find(([, [ours]]) => ours === dtype);
  if (found !== undefined) return [found[0], found[1][1]];
  throw new OneVisionError(
    'checkpoint',
    `Expected ${what} to have a storable dtype; got ${dtype}.`,
  );
}

const count = z.number().int().nonnegative();
const entrySchema = z.object({
  dtype: z.string(),
  shape: z.array(count),
  data_offsets: z.tuple([count, count]),
});
const metadataSchema = z.record(z.string(), z.string());
const headerSchema = z.record(z.string(), z.unknown());

/** Where one tensor lies: `begin` and `end` count from the end of the header. */
export interface Entry {
  readonly dtype: DType;
  readonly itemBytes: number;
  readonly shape: readonly number[];
  readonly begin: number;
  readonly end: number;
}

export interface Header {
  readonly entries: ReadonlyMap<string, Entry>;
  readonly metadata: Readonly<Record<string, string>>;
}

/**
 * Reads a header and checks that shapes, types and offsets agree and fill the data exactly.
 * @throws OneVisionError 'checkpoint' naming the tensor and the contradiction
 */
export function parseHeader(bytes: Uint8Array, dataBytes: number, path: string): Header {
  const { __metadata__: metadata = {}, ...rest } = parseJson(bytes, path);
  const entries = Object.entries(rest)
    .map(([name, value]) => [name, parseEntry(name, value, path)] as const)
    .sort(([, a], [, b]) => a.begin - b.begin || a.end - b.end);
  let position = 0;
  for (const [name, entry] of entries) {
    if (entry.begin !== position) {
      reject(
        path,
        `${name} to begin at byte ${position} of the data`,
        `it begins at ${entry.begin}`,
      );
    }
    position = entry.end;
  }
  if (position !== dataBytes) {
    reject(path, `${position} bytes of data`, `the file has ${dataBytes}`);
  }
  const texts = metadataSchema.safeParse(metadata);
  if (!texts.success) reject(path, '__metadata__ to map text to text', 'it does not');
  return { entries: new Map(entries), metadata: texts.data };
}

function parseJson(bytes: Uint8Array, path: string): Record<string, unknown> {
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    return headerSchema.parse(JSON.parse(text));
  } catch (cause) {
    return reject(path, 'a JSON object as header', 'it is not one', cause);
  }
}

function parseEntry(name: string, value: unknown, path: string): Entry {
  const parsed = entrySchema.safeParse(value);
  if (!parsed.success)
    return reject(path, `${name} to have dtype, shape and data_offsets`, 'it has not');
  const { dtype: format, shape, data_offsets: offsets } = parsed.data;
  const known = FORMAT_DTYPES[format];
  if (known === undefined) return reject(path, `${name} to have a known dtype`, format);
  const [dtype, itemBytes] = known;
  const [begin, end] = offsets;
  const needed = shape.reduce((product, size) => product * size, itemBytes);
  if (end - begin !== needed) {
    const what = `${name} (${format} [${shape.join(', ')}]) to take ${needed} bytes`;
    return reject(path, what, `its offsets give ${end - begin}`);
  }
  return { dtype, itemBytes, shape, begin, end };
}

function reject(path: string, expected: string, came: string, cause?: unknown): never {
  throw new OneVisionError('checkpoint', `${path}: expected ${expected}; ${came}.`, {
    hint: 'The file is damaged or was not written completely. Copy or download it again.',
    cause,
  });
}

/** What a header says about a tensor: a Tensor is one. */
export interface Described {
  readonly dtype: DType;
  readonly shape: readonly number[];
}

/**
 * The opening of a file (length and header, padded so that the data starts at a multiple of 8) and
 * the order in which the tensors follow.
 */
export function formatHeader(
  tensors: Readonly<Record<string, Described>>,
  metadata: Readonly<Record<string, string>>,
): { header: Uint8Array; order: readonly string[] } {
  const described = Object.entries(tensors).map(([name, { dtype, shape }]) => {
    const [format, itemBytes] = formatOf(dtype, name);
    return { name, shape, format, itemBytes };
  });
  described.sort((a, b) => b.itemBytes - a.itemBytes || (a.name < b.name ? -1 : 1));
  const fields: Record<string, unknown> = {};
  if (Object.keys(metadata).length > 0) fields['__metadata__'] = sortedByKey(metadata);
  let position = 0;
  for (const { name, shape, format, itemBytes } of described) {
    const end = shape.reduce((product, size) => product * size, itemBytes) + position;
    fields[name] = { dtype: format, shape, data_offsets: [position, end] };
    position = end;
  }
  return { header: withLength(JSON.stringify(fields)), order: described.map(({ name }) => name) };
}

function sortedByKey(record: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(record).sort(([a], [b]) => (a < b ? -1 : 1)));
}

function withLength(json: string): Uint8Array {
  const text = Buffer.from(json);
  const padded = Math.ceil(text.byteLength / 8) * 8;
  const header = Buffer.alloc(8 + padded, ' ');
  header.writeBigUInt64LE(BigInt(padded));
  text.copy(header, 8);
  return header;
}
