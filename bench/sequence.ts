// One long pack on one rank, two and four: memory that its activations take on a rank, bytes sent around
// attention against the formula, time. `node bench/sequence.ts [--tokens 1024 --width 256 --blocks 4 --steps 2]`.
// Times need idle cores; memory and bytes do not. `--table` prints what long packs of the 4B and 8B would take.

import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { createRandom } from '../src/core/hash.ts';
import { makeBatch, NO_TARGET, type Segment } from '../src/model/batch.ts';
import { createOneVision } from '../src/model/onevision.ts';
import { SIZES } from '../src/model/presets.ts';
import { exchangedBytes } from '../src/parallel/heads.ts';
import { placeOf } from '../src/parallel/place.ts';
import { ProcessGroup } from '../src/parallel/process-group.ts';
import { setNumThreads } from '../src/tensor/index.ts';
import { TrainConfigSchema } from '../src/train/config.ts';
import type { AssembledPack } from '../src/train/data/segments.ts';
import { Learner } from '../src/train/learner.ts';
import { openRanks } from '../src/train/parallel/sequence.ts';
import { openShardGroups, shardingOf } from '../src/train/parallel/sharding.ts';
import { planMemory } from '../src/train/price/memory.ts';
import { NO_WORK } from '../src/train/price/work.ts';
import { trainStep } from '../src/train/step.ts';
import { SMALL } from '../test/support/model.ts';
import { runRanks } from '../test/support/ranks.ts';

const { values } = parseArgs({
  options: {
    tokens: { type: 'string', default: '1024' },
    width: { type: 'string', default: '256' },
    blocks: { type: 'string', default: '4' },
    steps: { type: 'string', default: '2' },
    recompute: { type: 'string', default: 'none' },
    table: { type: 'boolean', default: false },
  },
});
const numbers = [values.tokens, values.width, values.blocks, values.steps].map(Number);
const [tokens = 0, width = 0, blocks = 0, steps = 0] = numbers;
const HEAD_DIM = 32;
const MIB = 2 ** 20;
const SHAPE = {
  numLayers: blocks,
  numHeads: width / HEAD_DIM,
  numKvHeads: width / HEAD_DIM / 2,
  headDim: HEAD_DIM,
};

interface Measured {
  /** High water of the process in its later steps, less what it held between them. */
  readonly activationMib: number;
  readonly stepMs: number;
  /** Sent to the ranks of the same pack, all of them together, in a step. */
  readonly bytes: number;
  readonly loss: number;
}

function statusMib(key: 'VmHWM' | 'VmRSS'): number {
  const match = new RegExp(`${key}:\\s+(\\d+) kB`).exec(readFileSync('/proc/self/status', 'utf8'));
  return Number(match?.[1] ?? 0) / 1024;
}

/** Three samples, of half, a quarter and a quarter of the tokens. */
function longPack(): AssembledPack {
  const segments = [tokens / 2, tokens / 4, tokens / 4].map((length, i): Segment => {
    const random = createRandom('sequence', String(i));
    const inputIds = Int32Array.from({ length }, () => 7 + random.int(500));
    const targets = inputIds.map((_, at) => inputIds[at + 1] ?? NO_TARGET);
    return { inputIds, targets, images: [], lossWeights: new Float32Array(length).fill(1) };
  });
  const batch = { lossWeights: new Float32Array(), ...makeBatch(segments) };
  const uids = ['a', 'b', 'c'];
  return { key: 'long', batch, uids, sources: uids.map(() => 'bench'), skipped: [] };
}

function measure(): Measured {
  setNumThreads(1);
  const place = placeOf(process.env);
  const world = place.size > 1 ? ProcessGroup.open(place) : undefined;
  const text = {
    ...SMALL.text,
    ...SHAPE,
    vocabSize: 512,
    hiddenSize: width,
    intermediateSize: 3 * width,
  };
  const model = createOneVision({ ...SMALL, text }, { seed: 1 });
  const config = TrainConfigSchema.parse({
    steps,
    trainable: ['language'],
    optimizer: { lr: 1e-4 },
    sequenceRanks: place.size,
    recompute: { language: values.recompute },
  });
  const ranks = openRanks(world, config, model.config);
  const sharding = world && shardingOf(openShardGroups(world, config), config);
  const learner = new Learner(model, config, undefined, sharding);
  const { recompute } = config;
  const options = { ...learner, ranks, microBatchPacks: 1, clip: 1, recompute };
  const pack = longPack();
  const name = `sequence 0-${place.size - 1}`;
  const slices = world?.sub(name, world.members); // opened by openRanks
  let [stepMs, bytes, loss, activationMib] = [Number.POSITIVE_INFINITY, 0, 0, 0];
  for (let step = 0; step < steps; step += 1) {
    const held = statusMib('VmRSS');
    writeFileSync('/proc/self/clear_refs', '5'); // the high water counts from here
    const sent = slices?.traffic.bytes ?? 0;
    const start = performance.now();
    ({ loss } = trainStep([pack], 1e-4, options));
    bytes = (slices?.traffic.bytes ?? 0) - sent;
    if (step === 0) continue; // libraries that load late, optimizer state
    stepMs = Math.min(stepMs, performance.now() - start);
    activationMib = statusMib('VmHWM') - held;
  }
  const [total = 0] = [ranks.exchange(bytes, 'bytes').reduce((sum, own) => sum + own, 0)];
  return { activationMib, stepMs, bytes: total, loss };
}

async function start(size: number, recompute: string): Promise<Measured> {
  const args = Object.entries({ tokens, width, blocks, steps, recompute }).flatMap(
    ([name, value]) => [`--${name}`, String(value)],
  );
  // Memory that is freed leaves the process, so that the high water is what is held.
  const env = { MALLOC_MMAP_THRESHOLD_: '65536', MALLOC_TRIM_THRESHOLD_: '65536' };
  const results = await runRanks(fileURLToPath(import.meta.url), size, args, env);
  const failed = results.find(({ code }) => code !== 0);
  if (failed !== undefined) throw new Error(failed.errors);
  const all = results.map(({ output }) => JSON.parse(output) as Measured);
  const most = Math.max(...all.map(({ activationMib }) => activationMib));
  return { ...(all[0] as Measured), activationMib: most };
}

async function compare(): Promise<void> {
  for (const recompute of ['none', 'full']) {
    const one = await start(1, recompute);
    for (const size of [1, 2, 4]) {
      const came = size === 1 ? one : await start(size, recompute);
      const sizes = { ...SHAPE, numRows: tokens, bytesPerElement: 4 };
      const around = exchangedBytes(sizes, size) * (recompute === 'full' ? 1.5 : 1);
      const losses = 2 * (size - 1) * 4 * (tokens - 3);
      console.log(
        [
          `recompute ${recompute}, ${size} ranks: activations ${came.activationMib.toFixed(0)} MiB a rank`,
          `${((100 * came.activationMib) / one.activationMib).toFixed(0)} % of one`,
          `sent ${(came.bytes / MIB).toFixed(2)} MiB, formula ${((around + losses) / MIB).toFixed(2)}`,
          `step ${(came.stepMs / one.stepMs).toFixed(2)} × one rank's`,
          `loss ${came.loss.toFixed(6)}`,
        ].join(', '),
      );
    }
  }
}

/** By formula: full recomputation, bfloat16, state and weights shared by the ranks of the pack. */
function table(): void {
  console.log(
    '| model | tokens of a pack | cut over | working, GiB | peak, GiB | sent, GiB | ms at 300 GB/s |',
  );
  console.log('|--|--|--|--|--|--|--|');
  const settings = TrainConfigSchema.parse({
    steps: 1,
    optimizer: { lr: 1e-5 },
    precision: 'bfloat16',
    recompute: { vision: 'full', language: 'full' },
  });
  for (const size of ['4b', '8b'] as const) {
    const config = SIZES[size];
    for (const numRows of [32_768, 131_072]) {
      for (const ranks of [1, 8]) {
        const work = { ...NO_WORK, tokens: numRows / ranks, targets: numRows / ranks };
        const options = { shards: 8, shareWeights: true };
        const { working, peak } = planMemory(config, settings, work, options);
        const sent =
          (1.5 * exchangedBytes({ ...config.text, numRows, bytesPerElement: 2 }, ranks)) / ranks;
        const gib = [working, peak, sent].map((bytes) => (bytes / 2 ** 30).toFixed(1));
        const ms = (sent / 300e6).toFixed(0);
        console.log(`| ${size} | ${numRows} | ${ranks} | ${gib.join(' | ')} | ${ms} |`);
      }
    }
  }
}

if (process.env['RANK'] !== undefined) console.log(JSON.stringify(measure()));
else if (values.table) table();
else await compare();
