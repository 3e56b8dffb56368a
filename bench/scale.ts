// One rank and two on this machine: time of a step against the simulator, bytes sent against the formula,
// memory of a rank. `node bench/scale.ts [--blocks 16 --width 256 --steps 6]`. Two ranks need two idle cores;
// memory and bytes do not.

import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { createRandom } from '../src/core/hash.ts';
import { makeBatch, NO_TARGET, type Segment } from '../src/model/batch.ts';
import { createOneVision } from '../src/model/onevision.ts';
import { allGather } from '../src/parallel/collectives.ts';
import { placeOf } from '../src/parallel/place.ts';
import { ProcessGroup } from '../src/parallel/process-group.ts';
import { simulateStep } from '../src/parallel/simulate.ts';
import { setNumThreads, tidy } from '../src/tensor/index.ts';
import * as ops from '../src/tensor/ops.ts';
import { TrainConfigSchema } from '../src/train/config.ts';
import type { AssembledPack } from '../src/train/data/segments.ts';
import { Learner } from '../src/train/learner.ts';
import { ranksOf } from '../src/train/parallel/ranks.ts';
import { openShardGroups, shardingOf } from '../src/train/parallel/sharding.ts';
import { trainStep } from '../src/train/step.ts';
import { SMALL } from '../test/support/model.ts';
import { runRanks } from '../test/support/ranks.ts';

const { values } = parseArgs({
  options: {
    blocks: { type: 'string', default: '24' },
    width: { type: 'string', default: '512' },
    steps: { type: 'string', default: '6' },
    sharding: { type: 'string', default: 'optimizer' },
  },
});
const [blocks, width, steps] = [values.blocks, values.width, values.steps].map(Number) as [
  number,
  number,
  number,
];
const PACKS = 4;
const TOKENS = 64;
const MIB = 2 ** 20;

interface Measured {
  /** Median of the steps after the first. */
  readonly stepMs: number;
  readonly forwardMs: number;
  readonly backwardMs: number;
  readonly optimizerMs: number;
  /** After the last backward: what gradients were still waited for. */
  readonly exposedMs: number;
  readonly bytes: number;
  /** High water of the process in its steps, less what it had before the model. */
  readonly peakMib: number;
  readonly blockParameters: number;
  readonly restParameters: number;
  readonly linkBytesPerMs: number;
  readonly latencyMs: number;
}

function statusMib(key: 'VmHWM' | 'VmRSS'): number {
  const match = new RegExp(`${key}:\\s+(\\d+) kB`).exec(readFileSync('/proc/self/status', 'utf8'));
  return Number(match?.[1] ?? 0) / 1024;
}

function residentMib(): number {
  return statusMib('VmRSS');
}

/** A step of a model of no size: libraries that load late are there before anything is measured. */
function warmUp(): void {
  const text = { ...SMALL.text, vocabSize: 512 };
  using model = createOneVision({ ...SMALL, text }, { seed: 1 });
  const config = TrainConfigSchema.parse({ steps: 1, optimizer: { lr: 1e-4 } });
  using learner = new Learner(model, config);
  trainStep([packOf('warm')], 1e-4, { ...learner, microBatchPacks: 1, clip: 1 });
}

function packOf(name: string): AssembledPack {
  const random = createRandom('scale', name);
  const inputIds = Int32Array.from({ length: TOKENS }, () => 7 + random.int(500));
  const targets = inputIds.map((_, i) => inputIds[i + 1] ?? NO_TARGET);
  const segment: Segment = {
    inputIds,
    targets,
    images: [],
    lossWeights: new Float32Array(TOKENS).fill(1),
  };
  const batch = { lossWeights: new Float32Array(), ...makeBatch([segment]) };
  return { key: name, batch, uids: [name], sources: ['bench'], skipped: [] };
}

/** One rank's steps. */
function measure(): Measured {
  setNumThreads(1);
  const place = placeOf(process.env);
  const group = place.size > 1 ? ProcessGroup.open(place) : undefined;
  const link = group === undefined ? { linkBytesPerMs: 0, latencyMs: 0 } : measureLink(group);
  warmUp();
  const before = residentMib();
  const text = {
    ...SMALL.text,
    vocabSize: 512,
    hiddenSize: width,
    intermediateSize: 3 * width,
    numLayers: blocks,
    numHeads: width / 64,
    numKvHeads: width / 64,
    headDim: 64,
  };
  const model = createOneVision({ ...SMALL, text }, { seed: 1 });
  const config = TrainConfigSchema.parse({
    steps,
    trainable: ['language'],
    optimizer: { lr: 1e-4 },
    packsPerStep: PACKS,
    sharding: values.sharding,
  });
  const sharding = group && shardingOf(openShardGroups(group, config), config);
  const learner = new Learner(model, config, undefined, sharding);
  const ranks = ranksOf(group);
  const packs = Array.from({ length: PACKS / ranks.size }, (_, i) => packOf(`${ranks.rank} ${i}`));
  const rows: {
    ms: number;
    bytes: number;
    result: ReturnType<typeof trainStep>;
    exposedMs: number;
  }[] = [];
  writeFileSync('/proc/self/clear_refs', '5'); // the high water counts from here
  for (let step = 0; step < steps; step += 1) {
    const sent = group?.traffic.bytes ?? 0;
    const start = performance.now();
    const result = trainStep(packs, 1e-4, {
      ...learner,
      ranks,
      microBatchPacks: packs.length,
      clip: 1,
    });
    const ms = performance.now() - start;
    rows.push({
      ms,
      bytes: (group?.traffic.bytes ?? 0) - sent,
      result,
      exposedMs: learner.shards?.exposedMs ?? 0,
    });
  }
  const later = rows.slice(1).sort((a, b) => a.ms - b.ms);
  const middle = later[Math.floor(later.length / 2)];
  const inBlocks = [...model.namedParameters()].filter(([name]) =>
    name.startsWith('model.layers.'),
  );
  const blockParameters = inBlocks.reduce((sum, [, { numel }]) => sum + numel, 0);
  const learned = [...learner.parameters.values()].reduce((sum, { numel }) => sum + numel, 0);
  return {
    stepMs: middle?.ms ?? 0,
    forwardMs: middle?.result.forwardMs ?? 0,
    backwardMs: middle?.result.backwardMs ?? 0,
    optimizerMs: middle?.result.optimizerMs ?? 0,
    exposedMs: middle?.exposedMs ?? 0,
    bytes: middle?.bytes ?? 0,
    peakMib: statusMib('VmHWM') - before,
    blockParameters,
    restParameters: learned - blockParameters,
    ...link,
  };
}

/** Speed of all-gathers of 16 MiB, and time of one of nothing. */
function measureLink(group: ProcessGroup): { linkBytesPerMs: number; latencyMs: number } {
  const time = (elements: number, rounds: number): number =>
    tidy(() => {
      const x = ops.zeros([elements]);
      allGather(x, group, 'link').wait();
      const start = performance.now();
      for (let i = 0; i < rounds; i += 1) allGather(x, group, 'link').wait().dispose();
      return (performance.now() - start) / rounds;
    });
  const latencyMs = time(16, 20);
  const elements = 2 * MIB;
  return { linkBytesPerMs: (4 * elements) / time(elements, 8), latencyMs };
}

async function start(size: number, sharding: string): Promise<Measured> {
  const args = ['--blocks', values.blocks, '--width', values.width, '--steps', values.steps];
  const program = fileURLToPath(import.meta.url);
  // Memory that is freed leaves the process, so that the high water is what is held.
  const env = { MALLOC_MMAP_THRESHOLD_: '65536', MALLOC_TRIM_THRESHOLD_: '65536' };
  const results = await runRanks(program, size, [...args, '--sharding', sharding], env);
  const [first] = results;
  if (first?.code !== 0) throw new Error(first?.errors);
  return JSON.parse(first.output) as Measured;
}

/** What the formula says a rank of two sends: gradients and weights, float32. */
function expectedBytes({ blockParameters, restParameters }: Measured, sharding: string): number {
  const weights = 4 * (blockParameters + restParameters);
  if (sharding === 'optimizer') return (weights + weights) / 2;
  // Gathered for forward and, all but the last block, again for backward.
  const again = (4 * blockParameters * (blocks - 1)) / blocks;
  return (weights + again + weights) / 2;
}

async function compare(): Promise<void> {
  const one = await start(1, 'optimizer');
  console.log(
    `1 rank: step ${one.stepMs.toFixed(0)} ms, training state ${one.peakMib.toFixed(0)} MiB`,
  );
  for (const sharding of ['optimizer', 'full'] as const) {
    const two = await start(2, sharding);
    const share = one.blockParameters / (one.blockParameters + one.restParameters);
    const perBlock = {
      forwardMs: (one.forwardMs / 2) * share,
      backwardMs: (one.backwardMs / 2) * share,
    };
    const bytes = 4 * one.blockParameters;
    const rest = 4 * one.restParameters;
    const block = {
      forwardMs: perBlock.forwardMs / blocks,
      backwardMs: perBlock.backwardMs / blocks,
      weightBytes: bytes / blocks,
      gradientBytes: bytes / blocks,
    };
    const predicted = simulateStep(
      {
        blocks: Array.from({ length: blocks }, () => block),
        rest: {
          forwardMs: (one.forwardMs / 2) * (1 - share),
          backwardMs: (one.backwardMs / 2) * (1 - share),
          weightBytes: rest,
          gradientBytes: rest,
        },
        passes: 1,
        updateMs: one.optimizerMs,
      },
      { sharding, ranks: 2, link: { bytesPerMs: two.linkBytesPerMs, latencyMs: two.latencyMs } },
    );
    const formula = expectedBytes(two, sharding);
    console.log(
      [
        `2 ranks, ${sharding}: step ${two.stepMs.toFixed(0)} ms, simulated ${predicted.stepMs.toFixed(0)}`,
        `(${(two.stepMs / predicted.stepMs).toFixed(2)} ×)`,
        `link ${(two.linkBytesPerMs / 1000).toFixed(0)} MB/s`,
        `sent ${(two.bytes / MIB).toFixed(1)} MiB, formula ${(formula / MIB).toFixed(1)}`,
        `waited for gradients after backward ${two.exposedMs.toFixed(0)} ms`,
        `state ${two.peakMib.toFixed(0)} MiB = ${((100 * two.peakMib) / one.peakMib).toFixed(0)} % of one process`,
      ].join(', '),
    );
  }
}

if (process.env['RANK'] === undefined) await compare();
else console.log(JSON.stringify(measure()));
