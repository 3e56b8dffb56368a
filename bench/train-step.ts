// One training step of a decoder of about 100M parameters on one thread of the CPU, against the same
// decoder in PyTorch and transformers, in turns within one run; in processor time, so that other jobs
// on the machine count little. First on batches without padding, then on batches of 16 captions as they are
// drawn, seeds 1, 2, …: ours are packed, theirs padded to the longest. Then where our step's time goes.
// Run: PYTHON=python3 node bench/train-step.ts [--rounds 3] [--draws 5] [--shrink 16]
// On a GPU with the decoder of Qwen3-1.7B, bfloat16 products and float32 weights on both sides, blocks
// recomputed, by the clock: PYTHON=python3 node bench/train-step.ts --device cuda --shrink 1
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { createRandom } from '../src/core/hash.ts';
import { makeBatch, NO_TARGET, type Segment } from '../src/model/batch.ts';
import { createOneVision } from '../src/model/onevision.ts';
import { tinyConfig, vocabularyOf } from '../src/model/presets.ts';
import { drawOrder } from '../src/pack/order.ts';
import { openPacks } from '../src/pack/read.ts';
import { isAccelerator, peakBytes, runtimeInfo, setNumThreads } from '../src/tensor/index.ts';
import { native } from '../src/tensor/native.ts';
import { loadTokenizer } from '../src/text/tokenizer.ts';
import { TrainConfigSchema } from '../src/train/config.ts';
import { workerAssembly } from '../src/train/data/assembly-line.ts';
import { Loader } from '../src/train/data/loader.ts';
import type { AssembledPack } from '../src/train/data/segments.ts';
import { Learner } from '../src/train/learner.ts';
import { trainStep } from '../src/train/step.ts';
import { SMALL } from '../test/support/model.ts';
import { prepareTinyRun, TINY_SPEC } from '../test/support/tiny-run.ts';
import { drawMix } from './support/length-mixes.ts';

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '3' },
    shrink: { type: 'string', default: '16' },
    draws: { type: 'string', default: '5' },
    device: { type: 'string', default: 'cpu' },
  },
});
const { device } = values;
const onGpu = isAccelerator(device);
const ROUNDS = Number(values.rounds);
/** The mix's captions are shorter by this factor, so that a step is quick. */
const SHRINK = Number(values.shrink);
const PADDED_BATCH = 16;
const SMALL_TEXT = {
  ...SMALL.text,
  vocabSize: 16_384,
  hiddenSize: 768,
  intermediateSize: 2048,
  numLayers: 12,
  numHeads: 12,
  numKvHeads: 4,
  headDim: 64,
};
const LARGE_TEXT = {
  ...SMALL_TEXT,
  vocabSize: 151_936,
  hiddenSize: 2048,
  intermediateSize: 6144,
  numLayers: 28,
  numHeads: 16,
  numKvHeads: 8,
  headDim: 128,
};
const TEXT = onGpu ? LARGE_TEXT : SMALL_TEXT;
/** Sequences of a batch without padding. */
const EVEN = onGpu ? { count: 8, length: 1024 } : { count: 4, length: 128 };
const CONFIG = TrainConfigSchema.parse({
  steps: 1,
  trainable: ['language'],
  optimizer: { lr: 1e-4 },
  ...(onGpu ? { precision: 'bfloat16', recompute: { language: 'full' } } : {}),
});

interface Theirs {
  readonly seconds: number;
  readonly peakMib: number;
}

interface Peer {
  readonly step: (lengths: readonly number[]) => Promise<Theirs>;
  readonly stop: () => void;
}

/** The Python side, one step at a time; undefined where it does not start. */
async function startPython(): Promise<Peer | undefined> {
  const sizes = {
    vocab_size: TEXT.vocabSize,
    hidden_size: TEXT.hiddenSize,
    intermediate_size: TEXT.intermediateSize,
    num_hidden_layers: TEXT.numLayers,
    num_attention_heads: TEXT.numHeads,
    num_key_value_heads: TEXT.numKvHeads,
    head_dim: TEXT.headDim,
    tie_word_embeddings: false,
    max_position_embeddings: 8192,
  };
  const script = fileURLToPath(new URL('train-step.py', import.meta.url));
  const python = process.env['PYTHON'] ?? 'python3';
  const child = spawn(python, [script, JSON.stringify(sizes), device], {
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  child.on('error', () => undefined);
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const read = async (): Promise<unknown> => {
    const { value, done } = await lines.next();
    return done === true ? undefined : JSON.parse(value);
  };
  const hello = await read();
  if (hello === undefined) return undefined;
  console.log(`PyTorch: ${JSON.stringify(hello)}`);
  return {
    step: async (lengths) => {
      child.stdin.write(`${JSON.stringify({ lengths })}\n`);
      return (await read()) as Theirs;
    },
    stop: () => child.stdin.end(),
  };
}

/** Sequences of random tokens as one pack, every token but the first supervised. */
function packOf(lengths: readonly number[], name: string): AssembledPack {
  const random = createRandom('train-step', name);
  const segments = lengths.map((length): Segment => {
    const inputIds = Int32Array.from({ length }, () => 1000 + random.int(TEXT.vocabSize - 1000));
    const targets = inputIds.map((_, i) => inputIds[i + 1] ?? NO_TARGET);
    return { inputIds, targets, images: [], lossWeights: new Float32Array(length).fill(1) };
  });
  const batch = { lossWeights: new Float32Array(), ...makeBatch(segments) };
  const names = lengths.map((_, i) => `${name} ${i}`);
  return { key: name, batch, uids: names, sources: names.map(() => 'bench'), skipped: [] };
}

/** Seconds of a step: of the processor, or by the clock where a device works. */
function ourStep(learner: Learner, pack: AssembledPack): number {
  const start = process.cpuUsage();
  const clock = performance.now();
  trainStep([pack], 1e-4, {
    ...learner,
    microBatchPacks: 1,
    clip: 1,
    recompute: CONFIG.recompute,
  });
  if (onGpu) return (performance.now() - clock) / 1000;
  const { user, system } = process.cpuUsage(start);
  return (user + system) / 1e6;
}

/** Share of a step's time outside of the addon, by the clock around every call. */
function shareInTypeScript(step: () => void): number {
  const addon = native() as unknown as Record<string, (...values: unknown[]) => unknown>;
  const originals = new Map(Object.entries(addon));
  let inside = 0;
  let depth = 0;
  for (const [name, original] of originals) {
    if (typeof original !== 'function') continue;
    addon[name] = (...values) => {
      depth += 1;
      const start = performance.now();
      try {
        return original(...values);
      } finally {
        depth -= 1;
        if (depth === 0) inside += performance.now() - start;
      }
    };
  }
  const start = performance.now();
  step();
  const total = performance.now() - start;
  for (const [name, original] of originals) addon[name] = original;
  return 1 - inside / total;
}

/** The next 16 captions of the mix, in the order in which they are drawn. */
function captionLengths(seed: number): number[] {
  const { tokens } = drawMix('caption', PADDED_BATCH, seed);
  return Array.from(tokens, (length) => Math.max(4, Math.round(length / SHRINK)));
}

/** Batches of 16 captions: ours as one pack, theirs padded to the longest; every draw is printed. */
async function compareCaptions(learner: Learner, python: Peer | undefined): Promise<void> {
  const rows: { tokens: number; padded: number; ours: number; theirs: number }[] = [];
  console.log(`\n${PADDED_BATCH} captions, lengths / ${SHRINK}, seconds a step`);
  for (let seed = 1; seed <= Number(values.draws); seed += 1) {
    const lengths = captionLengths(seed);
    const [tokens, padded] = [sum(lengths), PADDED_BATCH * Math.max(...lengths)];
    const ours = ourStep(learner, packOf(lengths, `mix ${seed}`));
    const theirs = (await python?.step(lengths))?.seconds ?? Number.NaN;
    rows.push({ tokens, padded, ours, theirs });
    console.log(
      `draw ${seed}: ${tokens} tokens, ${(padded / tokens).toFixed(2)} padded for one; ours, packed, ` +
        `${ours.toFixed(2)}, PyTorch, padded, ${theirs.toFixed(2)}: ${(theirs / ours).toFixed(2)} ×`,
    );
  }
  const total = (key: keyof (typeof rows)[number]): number => sum(rows.map((row) => row[key]));
  const rate = (PADDED_BATCH * rows.length) / total('ours');
  const padding = total('padded') / total('tokens');
  console.log(
    `all: ${rate.toFixed(2)} samples/s, ${(total('theirs') / total('ours')).toFixed(2)} × as many as ` +
      `padded; padded tokens / tokens = ${padding.toFixed(2)} (goals: that, and 3)`,
  );
}

/** Packs of small pictures through the loader while the model trains: share of the time waited. */
async function dataWait(learner: Learner, dir: string): Promise<number> {
  const packDirs = [join(dir, 'packs')];
  using reader = openPacks(join(dir, 'packs'));
  const steps = 4;
  const loader = new Loader({
    order: drawOrder([{ sets: [{ numPacks: reader.numPacks }], length: steps }], 1),
    packsPerStep: 1,
    firstStep: 0,
    prefetch: 4,
    line: workerAssembly({ packDirs, tokenizer: join(dir, 'tokenizer'), settings: TINY_SPEC }, 1),
  });
  let waitMs = 0;
  let totalMs = 0;
  for (let step = 0; step < steps; step += 1) {
    const start = performance.now();
    const loaded = await loader.next();
    trainStep(loaded.packs, 1e-4, { ...learner, microBatchPacks: 1, clip: 1 });
    // The first step waits for the worker to start.
    if (step > 0) waitMs += loaded.waitMs;
    if (step > 0) totalMs += performance.now() - start;
  }
  await loader.close();
  return waitMs / totalMs;
}

const median = (list: readonly number[]): number =>
  list.toSorted((a, b) => a - b)[Math.floor(list.length / 2)] ?? Number.NaN;
const sum = (list: readonly number[]): number => list.reduce((a, b) => a + b, 0);

setNumThreads(1);
const python = await startPython();
const dir = mkdtempSync(join(tmpdir(), 'train-step-'));
await prepareTinyRun(dir);
const vocabulary = vocabularyOf(loadTokenizer(join(dir, 'tokenizer')));
const sizes = { width: 64, headDim: 32, visionLayers: 1, textLayers: 1 };
const model = createOneVision(
  { ...tinyConfig(vocabulary, sizes), text: TEXT },
  { seed: 1, device, dtype: onGpu ? 'bfloat16' : 'float32' },
);
const learner = new Learner(model, CONFIG);
console.log(
  `OneVision: ${(model.numParameters / 1e6).toFixed(1)}M parameters, libtorch ${runtimeInfo().version}`,
);

const equal = new Array<number>(EVEN.count).fill(EVEN.length);
const even = packOf(equal, 'equal');
ourStep(learner, packOf([64], 'warm'));
await python?.step([64]);
const [ours, theirs]: [number[], Theirs[]] = [[], []];
for (let round = 0; round < ROUNDS; round += 1) {
  ours.push(ourStep(learner, even));
  if (python !== undefined) theirs.push(await python.step(equal));
}
const ratio = median(theirs.map(({ seconds }) => seconds)) / median(ours);
console.log(
  `\n${EVEN.count} × ${EVEN.length} tokens, no padding: ours ${median(ours).toFixed(3)} s a step`,
);
if (python !== undefined) {
  const other = median(theirs.map(({ seconds }) => seconds));
  console.log(`PyTorch ${other.toFixed(3)} s: ours is ${ratio.toFixed(3)} × as fast (goal 1.0)`);
  const peak = peakBytes(device) / 2 ** 20;
  const peakTheirs = theirs.at(-1)?.peakMib ?? Number.NaN;
  console.log(
    `peak memory: ours ${peak.toFixed(0)} MiB, PyTorch ${peakTheirs.toFixed(0)} MiB, ` +
      `ratio ${(peak / peakTheirs).toFixed(2)}`,
  );
}

await compareCaptions(learner, python);
python?.stop();

const share = shareInTypeScript(() => void ourStep(learner, even));
console.log(`\nshare of a step in TypeScript: ${(100 * share).toFixed(2)} % (goal < 2 %)`);

const waited = onGpu ? Number.NaN : await dataWait(learner, dir);
if (!onGpu) console.log(`data wait: ${(100 * waited).toFixed(2)} % of a step (goal < 1 %)`);
rmSync(dir, { recursive: true });
