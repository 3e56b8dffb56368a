// Malformed inputs in every source format, by number and seed alone. Each has a tag that every ledger
// row about it must carry, so that a loss in silence is found.
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { createRandom, type Random } from '../../src/core/hash.ts';
import { openColumns, sqlText } from '../../src/sample/columns.ts';
import { encodeTarMember, TAR_END } from '../../src/sample/tar.ts';
import { BROKEN, bytes, type Maker, MUTATED, SOUND } from './pictures.ts';

export interface FuzzInput {
  /** Part of the uid of its ledger rows. */
  readonly tag: string;
  readonly kind: string;
  /** What must become of it; absent where either is right. */
  readonly verdict?: 'keep' | 'error';
}

export const FORMATS = ['webdataset', 'jsonl', 'folder', 'parquet'] as const;
export type FuzzFormat = (typeof FORMATS)[number];

/** Shares of the formats: parquet costs the most, and has the fewest ways to be wrong. */
const SHARES: Readonly<Record<FuzzFormat, number>> = {
  webdataset: 0.4,
  jsonl: 0.3,
  folder: 0.25,
  parquet: 0.05,
};

type Put = (name: string, data: Uint8Array | string) => void;
type Case = (tag: string, random: Random, put: Put) => Promise<Omit<FuzzInput, 'tag'>>;

/** Writes `count` inputs of a format below `dir` and says what they are. */
export async function writeInputs(
  dir: string,
  format: FuzzFormat,
  count: number,
  seed: number,
): Promise<FuzzInput[]> {
  const put: Put = (name, data) => {
    const path = join(dir, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, data);
  };
  const inputs: FuzzInput[] = [];
  for (let i = 0; i < count; i++) {
    const tag = `f${String(i).padStart(5, '0')}x`;
    const random = createRandom('fuzz', format, seed, i);
    inputs.push({ tag, ...(await CASES[format](tag, random, put)) });
  }
  return inputs;
}

/** How many inputs of each format make `total`. */
export function countOf(format: FuzzFormat, total: number): number {
  return Math.ceil(total * SHARES[format]);
}

interface Picture {
  readonly bytes: Buffer;
  readonly kind: string;
  readonly verdict?: 'keep' | 'error';
}

async function picture(random: Random): Promise<Picture> {
  const roll = random.int(10);
  if (roll < 2) return { bytes: await MUTATED(random), kind: 'mutated' };
  const [table, verdict] = roll < 6 ? ([SOUND, 'keep'] as const) : ([BROKEN, 'error'] as const);
  const kind = random.pick(Object.keys(table));
  const make: Maker = table[kind] ?? (() => Buffer.alloc(0));
  return { bytes: await make(random), kind, verdict };
}

const EXTENSIONS = ['jpg', 'png', 'webp', 'gif', 'tiff'];

/** Texts that are wrong, each with its name. */
const TEXTS: Readonly<Record<string, (random: Random) => Buffer>> = {
  nul: () => Buffer.from('a cat\0 on a mat'),
  huge: () => Buffer.alloc(1_200_000, 'word '),
  blank: () => Buffer.from(' \n\t '),
  latin1: (r) =>
    Buffer.concat([Buffer.from('caf'), Buffer.from([0xe9]), bytes(r, 9), Buffer.from([0xff])]),
};

const webdataset: Case = async (tag, random, put) => {
  const name = `${tag}.tar`;
  const image = await picture(random);
  const extension = random.pick(EXTENSIONS);
  const members = [
    encodeTarMember(`k.${extension}`, image.bytes),
    encodeTarMember('k.txt', Buffer.from('a picture of something')),
  ];
  const whole = Buffer.concat([...members, TAR_END]);
  switch (random.int(8)) {
    case 0:
      put(name, whole.subarray(0, random.int(whole.length - 1024)));
      return { kind: 'truncated tar', verdict: 'error' };
    case 1: {
      const torn = Buffer.from(whole);
      const at = random.pick([0, 100, 124, 130, 151, 156, 257]);
      torn[at] = (torn[at] ?? 0) ^ (1 + random.int(127));
      put(name, torn);
      return { kind: 'damaged header', verdict: 'error' };
    }
    case 2: {
      const [kind, make] = random.pick(Object.entries(TEXTS));
      const text = encodeTarMember('k.txt', make(random));
      put(name, Buffer.concat([members[0] ?? Buffer.alloc(0), text, TAR_END]));
      return { kind: `text ${kind}`, verdict: 'error' };
    }
    case 3: {
      const json = random.pick([
        '{',
        '[]',
        'null',
        '{"messages": 3}',
        '{"conversations": [{}]}',
        '"x"',
      ]);
      const member = encodeTarMember('k.json', Buffer.from(json));
      put(name, Buffer.concat([members[0] ?? Buffer.alloc(0), member, TAR_END]));
      return { kind: 'wrong JSON', verdict: 'error' };
    }
    case 4:
      put(name, random.pick([Buffer.alloc(0), bytes(random, 700), members[1] ?? Buffer.alloc(0)]));
      return { kind: 'no archive', verdict: 'error' };
    default:
      put(name, whole);
      return { kind: image.kind, ...(image.verdict && { verdict: image.verdict }) };
  }
};

const LINES: readonly string[] = [
  '{"id": TAG',
  '[TAG]',
  '"TAG"',
  '{"image": "img/TAG.png"}',
  '{"image": "../TAG.png", "caption": "up"}',
  '{"image": "/etc/TAG.png", "caption": "absolute"}',
  '{"image": "img/TAG.none", "caption": "missing"}',
  '{"image": "file:///etc/TAG", "caption": "file address"}',
  '{"image": "http://127.0.0.1/TAG", "caption": "address"}',
  '{"image": "img/TAG\\u0000.png", "caption": "nul in path"}',
  '{"image": "img/TAG.png", "caption": "a\\u0000b"}',
  '{"image": "img/TAG.png", "caption": "a\\ud800b"}',
  '{"image": "img/TAG.png", "caption": 7}',
  '{"image": "img/TAG.png", "conversations": []}',
  '{"image": "img/TAG.png", "conversations": [{"from": "robot", "value": "TAG"}]}',
  '{"image": "img/TAG.png", "conversations": [{"from": "human", "value": "<image><image>"}]}',
  '{"image": "img/TAG.png", "messages": [{"role": "user", "content": "no answer"}]}',
  '{"image": ["img/TAG.png", 3], "caption": "a number"}',
  '{"image": {"deep": "TAG"}, "caption": "no bytes"}',
  '{"image": "data:image/png;base64,TAG", "caption": "no picture"}',
  '{"messages": [{"role": "user", "content": [{"type": "video"}]}, {"role": "assistant", "content": "x"}]}',
];

/** One line a file, so that its tag is in every uid. */
const jsonl: Case = async (tag, random, put) => {
  if (random.int(3) === 0) {
    const image = await picture(random);
    put(`img/${tag}.png`, image.bytes);
    put(`${tag}.jsonl`, `{"image": "img/${tag}.png", "caption": "a thing"}\n`);
    return { kind: image.kind, ...(image.verdict && { verdict: image.verdict }) };
  }
  const index = random.int(LINES.length + 3);
  const line = LINES[index];
  const whole = await SOUND['jpeg']?.(random);
  put(`img/${tag}.png`, whole ?? Buffer.alloc(0));
  if (line !== undefined) {
    put(`${tag}.jsonl`, `${line.replaceAll('TAG', tag)}\n`);
    return { kind: `line ${index}`, verdict: 'error' };
  }
  const large = `{"image": "img/${tag}.png", "caption": "${'long '.repeat(300_000)}"}`;
  const deep = `{"image": "img/${tag}.png", "x": ${'['.repeat(100_000)}`;
  put(`${tag}.jsonl`, random.pick([large, deep, bytes(random, 300)]));
  return { kind: 'large, deep or binary', verdict: 'error' };
};

const folder: Case = async (tag, random, put) => {
  const image = await picture(random);
  const name = `d${random.int(5)}/${tag}`;
  switch (random.int(6)) {
    case 0:
      put(`${name}.txt`, 'words alone');
      return { kind: 'no picture', verdict: 'error' };
    case 1: {
      const [kind, make] = random.pick(Object.entries(TEXTS));
      put(`${name}.png`, image.bytes);
      put(`${name}.txt`, make(random));
      return { kind: `text ${kind}`, verdict: 'error' };
    }
    case 2:
      put(`${name}.${random.pick(['exe', 'pdf', 'mp4', 'PNG~', 'zip'])}`, image.bytes);
      return { kind: 'wrong extension', verdict: 'error' };
    default:
      put(`${name}.${random.pick(EXTENSIONS)}`, image.bytes);
      put(`${name}.txt`, 'a picture of something');
      return { kind: image.kind, ...(image.verdict && { verdict: image.verdict }) };
  }
};

const parquet: Case = async (tag, random, put) => {
  const image = await picture(random);
  const blob = `unhex('${image.bytes.toString('hex')}')`;
  const selects: Readonly<Record<string, string>> = {
    'no columns': `SELECT 1 AS a, 'b' AS b`,
    'no image column': `SELECT 'words' AS caption`,
    'no text column': `SELECT ${blob} AS image`,
    'null image': `SELECT NULL::BLOB AS image, 'words' AS caption`,
    'null text': `SELECT ${blob} AS image, NULL::VARCHAR AS caption`,
    'number image': `SELECT 3 AS image, 'words' AS caption`,
    'empty list': `SELECT []::BLOB[] AS images, 'words' AS caption`,
    'huge text': `SELECT ${blob} AS image, repeat('words ', 300000) AS caption`,
    'text conversations': `SELECT ${blob} AS image, 'not json' AS conversations`,
  };
  const path = `${tag}.parquet`;
  put(path, '');
  const kind = random.pick([...Object.keys(selects), 'cut', 'garbage', 'picture', 'picture']);
  const select =
    selects[kind] ?? `SELECT {'bytes': ${blob}, 'path': 'x'} AS image, 'words' AS text`;
  const file = await encodeParquet(select);
  if (kind === 'cut') put(path, file.subarray(0, random.int(file.length)));
  else if (kind === 'garbage')
    put(path, Buffer.concat([Buffer.from('PAR1'), bytes(random, 90), Buffer.from('PAR1')]));
  else put(path, file);
  if (kind === 'picture')
    return { kind: image.kind, ...(image.verdict && { verdict: image.verdict }) };
  return { kind, verdict: 'error' };
};

const CASES: Readonly<Record<FuzzFormat, Case>> = { webdataset, jsonl, folder, parquet };

async function encodeParquet(select: string): Promise<Buffer> {
  const { mkdtempSync, readFileSync, rmSync } = await import('node:fs');
  const { tmpdir } = await import('node:os');
  const dir = mkdtempSync(join(tmpdir(), 'fuzz-parquet-'));
  try {
    using columns = await openColumns();
    const path = join(dir, 'x.parquet');
    await columns.run(`COPY (${select}) TO ${sqlText(path)} (FORMAT parquet)`);
    return readFileSync(path);
  } finally {
    rmSync(dir, { recursive: true });
  }
}
