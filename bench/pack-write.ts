// Writing packs from source shards against `cp` of the same bytes, in turns: samples/s, MB/s, ratio, by
// the medians of five rounds. Each side begins with nothing left to write (sync), reads what is in the
// page cache, writes to the same folder and ends on the disk (fsync); ours also hashes every byte
// (SHA-256) and starts its processes in that time. Also processor time a sample, which other jobs on the
// machine disturb less, and what measuring costs. 60 kB JPEGs; the seed is fixed.
// Run: node bench/pack-write.ts [samples=16000] [format=webdataset|parquet|jsonl]
import { execFileSync } from 'node:child_process';
import { type Cipheriv, createCipheriv } from 'node:crypto';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import * as z from 'zod';
import { createRandom } from '../src/core/hash.ts';
import { silentLog } from '../src/core/log.ts';
import { QWEN_PROCESSOR } from '../src/image/config.ts';
import { measureInputs } from '../src/pack/lengths/table.ts';
import { drawMix } from '../src/pack/mixture.ts';
import { planPacks } from '../src/pack/plan.ts';
import { writePacks } from '../src/pack/write.ts';
import { SINK_FORMATS } from '../src/sample/sinks/formats.ts';
import { createSink } from '../src/sample/sinks/sink.ts';
import { createSkipCounter } from '../src/sample/skips.ts';
import { openSource } from '../src/sample/sources/open.ts';
import { createTokenizer } from '../src/text/tokenizer.ts';
import { trainTokenizer } from '../src/text/train-bpe.ts';

const NUM_SAMPLES = Number(process.argv[2] ?? 16_000);
const ROUNDS = 5;
/** Enough of a JPEG to say its size. */
const HEADER_BYTES = 1024;
const WORDS = 'a red house beside the old river under one tall green tree at noon'.split(' ');

const FORMAT = z.enum(SINK_FORMATS).parse(process.argv[3] ?? 'webdataset');
const dir = mkdtempSync(join(tmpdir(), 'pack-write-'));
const workers = availableParallelism();
const caption = (index: number): string => {
  const random = createRandom('bench', index);
  return Array.from({ length: 20 + random.int(120) }, () => random.pick(WORDS)).join(' ');
};

/** A JPEG of about 60 kB: noise at the first quality that gives as much. */
async function makeJpeg(): Promise<Buffer> {
  const random = createRandom('bench', 'pixels');
  const [width, height] = [448, 336];
  const data = Buffer.from(Array.from({ length: width * height * 3 }, () => 64 + random.int(128)));
  const image = sharp(data, { raw: { width, height, channels: 3 } });
  for (let quality = 40; ; quality += 5) {
    const jpeg = await image.clone().jpeg({ quality }).toBuffer();
    if (jpeg.length >= 60_000 || quality >= 95) return jpeg;
  }
}

/** The header of a JPEG and as many bytes as it has: no two alike, nothing decodes them. */
function likeJpeg(jpeg: Buffer, noise: Cipheriv): Buffer {
  const header = jpeg.subarray(0, HEADER_BYTES);
  return Buffer.concat([header, noise.update(Buffer.alloc(jpeg.length - header.length))]);
}

async function makeSamples(): Promise<void> {
  const jpeg = await makeJpeg();
  const noise = createCipheriv('aes-128-ctr', Buffer.alloc(16, 7), Buffer.alloc(16));
  const writer = createSink(FORMAT, join(dir, 'in'), { maxBytes: 128 * 2 ** 20 });
  for (let index = 0; index < NUM_SAMPLES; index += 1) {
    const uid = `bench-${index}`;
    await writer.write({
      uid,
      source: 'bench',
      group: uid,
      split: 'train',
      messages: [
        { role: 'user', content: '<image>' },
        { role: 'assistant', content: caption(index) },
      ],
      images: [{ name: 'img0.jpg', bytes: likeJpeg(jpeg, noise) }],
      meta: {},
    });
  }
  await writer.close();
  console.log(`${NUM_SAMPLES} samples with a JPEG of ${jpeg.length} bytes in ${FORMAT}`);
}

function seconds(start: number): number {
  return (performance.now() - start) / 1000;
}

async function timed(work: () => Promise<void> | void): Promise<number> {
  execFileSync('sync');
  const start = performance.now();
  await work();
  return seconds(start);
}

/** Processor time of the last `cp`, in µs. */
let copyCpu = 0;

function copy(): void {
  const files = readdirSync(join(dir, 'in')).map((name) => join(dir, 'in', name));
  mkdirSync(join(dir, 'copy'));
  const script = 'cp --reflink=never "$@" && times';
  const to = join(dir, 'copy');
  const times = execFileSync('bash', ['-c', script, 'cp', ...files, to], { encoding: 'utf8' });
  const ofChildren = times.trim().split('\n').at(-1) ?? '';
  copyCpu = [...ofChildren.matchAll(/(\d+)m([\d.]+)s/g)].reduce(
    (sum, [, minutes, rest]) => sum + 1e6 * (60 * Number(minutes) + Number(rest)),
    0,
  );
  execFileSync(
    'sync',
    readdirSync(to).map((name) => join(to, name)),
  );
}

await makeSamples();
const texts = Array.from({ length: 200 }, (_, index) => caption(index));
await createTokenizer(trainTokenizer(texts, 400)).save(join(dir, 'tokenizer'));

const source = await openSource({ path: join(dir, 'in'), name: 'in' });
const settings = { tokenizer: join(dir, 'tokenizer'), processor: QWEN_PROCESSOR, seed: 0 };
const folders = { output: join(dir, 'lengths') };
const config = { sources: [source.spec], ...settings, ...folders };
const measureStart = performance.now();
const work = join(dir, 'work');
const measured = await measureInputs({
  inputs: [source],
  config,
  work,
  workers,
  rule: undefined,
  log: silentLog,
});
const table = await measured.load(createSkipCounter());
const measureS = seconds(measureStart);
const draws = drawMix(table.coins, table.inputFirsts, [NUM_SAMPLES]);
const limits = { tokens: 8192, patches: 32_768, segments: 4096 };
const packs = planPacks({ tokens: table.tokens, patches: table.patches }, limits, { seed: 0 });

const bytes = readdirSync(join(dir, 'in')).reduce(
  (sum, name) => sum + statSync(join(dir, 'in', name)).size,
  0,
);
const write = async (workers: number): Promise<void> => {
  const output = join(dir, 'out');
  mkdirSync(output);
  const to = { dir: output, work: join(dir, 'work-write'), packs, draws, table, sources: [source] };
  await writePacks({
    ...to,
    layout: 'onevision',
    maxShardBytes: 128 * 2 ** 20,
    workers,
    log: silentLog,
  });
};
const times: { cp: number[]; write: number[] } = { cp: [], write: [] };
for (let round = 0; round < ROUNDS; round += 1) {
  times.cp.push(await timed(copy));
  times.write.push(await timed(() => write(workers)));
  for (const name of ['copy', 'out', 'work-write']) rmSync(join(dir, name), { recursive: true });
}
const usage = process.cpuUsage();
await write(1);
const { user, system } = process.cpuUsage(usage);
const median = (values: readonly number[]): number =>
  [...values].sort((a, b) => a - b)[ROUNDS >> 1] ?? 0;
const line = (name: string, time: number): string =>
  `${name}: ${time.toFixed(2)} s, ${Math.round(NUM_SAMPLES / time)} samples/s, ${Math.round(bytes / time / 1e6)} MB/s`;
console.log(line(`measure (${workers} processes)`, measureS));
console.log(line('cp', median(times.cp)));
console.log(line(`write (${workers} processes)`, median(times.write)));
const ratios = times.cp.map((time, round) => time / (times.write[round] ?? 1));
console.log(
  `speed of writing over cp: ${median(ratios).toFixed(2)}, each round: ` +
    ratios.map((ratio) => ratio.toFixed(2)).join(', '),
);
const perSample = (user + system) / NUM_SAMPLES;
console.log(
  `processor time a sample: writing ${perSample.toFixed(0)} µs (${(user / NUM_SAMPLES).toFixed(0)} in user ` +
    `space), cp ${(copyCpu / NUM_SAMPLES).toFixed(0)} µs; writing alone, ${workers} cores do ` +
    `${Math.round((workers * 1e6) / perSample)} samples/s`,
);
rmSync(dir, { recursive: true });
