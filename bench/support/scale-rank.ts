// One rank of bench/scale.ts: `node scale-rank.ts <settings as JSON>` prints what it measured as JSON.
// Times: in each round the link, a step alone (no rank waits for another), a step together without
// overlap and one with, one after the other, so that load on the machine meets all alike.

import { readFileSync, writeFileSync } from 'node:fs';
import { createRandom } from '../../src/core/hash.ts';
import { makeBatch, NO_TARGET, type Segment } from '../../src/model/batch.ts';
import { createOneVision, type OneVision } from '../../src/model/onevision.ts';
import { barrier } from '../../src/parallel/messages.ts';
import { placeOf } from '../../src/parallel/place.ts';
import { ProcessGroup } from '../../src/parallel/process-group.ts';
import { setNumThreads } from '../../src/tensor/index.ts';
import { TrainConfigSchema } from '../../src/train/config.ts';
import type { AssembledPack } from '../../src/train/data/segments.ts';
import { Learner } from '../../src/train/learner.ts';
import { ranksOf } from '../../src/train/parallel/ranks.ts';
import { openShardGroups, shardingOf } from '../../src/train/parallel/sharding.ts';
import { type StepResult, trainStep } from '../../src/train/step.ts';
import { SMALL } from '../../test/support/model.ts';
import { LinkMeter, type LinkSample } from './scale-link.ts';

export interface ScaleSettings {
  readonly what: 'times' | 'memory';
  readonly sharding: 'optimizer' | 'full';
  readonly blocks: number;
  readonly width: number;
  /** Of which the first is not counted. */
  readonly rounds: number;
}

/** Milliseconds of a step and its parts. */
export interface StepTimes {
  readonly stepMs: number;
  readonly forwardMs: number;
  readonly backwardMs: number;
  readonly optimizerMs: number;
  /** Stood still for tensors of the model. */
  readonly waitMs: number;
  readonly bytes: number;
}

export interface Round {
  readonly link: LinkSample | undefined;
  readonly alone: StepTimes;
  /** The same as `alone` for one rank. */
  readonly serial: StepTimes;
  readonly overlapped: StepTimes;
}

export interface RankReport {
  readonly rounds: readonly Round[];
  readonly blockParameters: number;
  readonly restParameters: number;
  /** High water of the process in its steps, less what it had before the model. */
  readonly peakMib: number;
}

const PACKS = 2;
const TOKENS = 64;
const LR = 1e-4;

interface Trained {
  readonly model: OneVision;
  readonly step: () => StepTimes;
}

function statusMib(key: 'VmHWM' | 'VmRSS'): number {
  const match = new RegExp(`${key}:\\s+(\\d+) kB`).exec(readFileSync('/proc/self/status', 'utf8'));
  return Number(match?.[1] ?? 0) / 1024;
}

function packOf(name: string): AssembledPack {
  const random = createRandom('scale', name);
  const inputIds = Int32Array.from({ length: TOKENS }, () => 7 + random.int(500));
  const targets = inputIds.map((_, i) => inputIds[i + 1] ?? NO_TARGET);
  const lossWeights = new Float32Array(TOKENS).fill(1);
  const segment: Segment = { inputIds, targets, images: [], lossWeights };
  const batch = { lossWeights: new Float32Array(), ...makeBatch([segment]) };
  return { key: name, batch, uids: [name], sources: ['bench'], skipped: [] };
}

/** A model of its own, cut over the ranks of `group`. */
function makeTrained({ blocks, width, sharding }: ScaleSettings, group?: ProcessGroup): Trained {
  const heads = width / 64;
  const sizes = { hiddenSize: width, intermediateSize: 3 * width, numLayers: blocks, headDim: 64 };
  const text = { ...SMALL.text, ...sizes, vocabSize: 512, numHeads: heads, numKvHeads: heads };
  const model = createOneVision({ ...SMALL, text }, { seed: 1 });
  const config = TrainConfigSchema.parse({
    steps: 1,
    trainable: ['language'],
    optimizer: { lr: LR },
    sharding,
  });
  const cut = group && shardingOf(openShardGroups(group, config), config);
  const learner = new Learner(model, config, undefined, cut);
  const ranks = ranksOf(group);
  const packs = Array.from({ length: PACKS }, (_, i) => packOf(`${ranks.rank} ${i}`));
  const step = (): StepTimes => {
    const before = { ...group?.traffic };
    const start = performance.now();
    const result: StepResult = trainStep(packs, LR, {
      ...learner,
      ranks,
      microBatchPacks: PACKS,
      clip: 1,
    });
    const stepMs = performance.now() - start;
    const since = (key: 'bytes' | 'waitMs' | 'messageMs'): number =>
      (group?.traffic[key] ?? 0) - (before[key] ?? 0);
    const { forwardMs, backwardMs, optimizerMs } = result;
    const waitMs = since('waitMs') - since('messageMs');
    return { stepMs, forwardMs, backwardMs, optimizerMs, waitMs, bytes: since('bytes') };
  };
  return { model, step };
}

function measure(settings: ScaleSettings): RankReport {
  setNumThreads(1);
  const place = placeOf(process.env);
  const world = place.size > 1 ? ProcessGroup.open(place) : undefined;
  // Libraries that load late are there before memory is counted.
  makeTrained({ ...settings, blocks: 1, width: 64, sharding: 'optimizer' }).step();
  const before = statusMib('VmRSS');
  const together = makeTrained(settings, world);
  const parameters = countParameters(together);
  if (settings.what === 'memory') {
    writeFileSync('/proc/self/clear_refs', '5'); // the high water counts from here
    for (let i = 0; i < settings.rounds; i += 1) together.step();
    return { rounds: [], ...parameters, peakMib: statusMib('VmHWM') - before };
  }
  const rounds: Round[] = [];
  if (world === undefined) {
    for (let i = 0; i <= settings.rounds; i += 1) {
      const alone = together.step();
      rounds.push({ link: undefined, alone, serial: alone, overlapped: alone });
    }
  } else rounds.push(...roundsOf(settings, world, together));
  return { rounds: rounds.slice(1), ...parameters, peakMib: 0 };
}

function roundsOf(settings: ScaleSettings, world: ProcessGroup, together: Trained): Round[] {
  const own = world.sub(`alone ${world.rank}`, [world.rank]);
  const single = makeTrained(settings, own);
  const { blockParameters } = countParameters(single);
  const elements = blockParameters / settings.blocks;
  const intoFresh = settings.sharding === 'full';
  const sizes = { elements, tokens: PACKS * TOKENS, width: settings.width, intoFresh };
  using meter = new LinkMeter(world, sizes);
  const step = (trained: Trained, overlaps = true): StepTimes => {
    barrier(world, 'all ranks at once');
    world.overlaps = overlaps;
    try {
      return trained.step();
    } finally {
      world.overlaps = true;
    }
  };
  return Array.from({ length: settings.rounds + 1 }, () => ({
    link: meter.measure(),
    alone: step(single),
    serial: step(together, false),
    overlapped: step(together),
  }));
}

/** The parameters of the blocks, and the others that are trained. */
function countParameters({
  model,
}: Trained): Pick<RankReport, 'blockParameters' | 'restParameters'> {
  const inBlocks = [...model.namedParameters()].filter(([name]) => /^model\.layers\./.test(name));
  const blockParameters = inBlocks.reduce((sum, [, { numel }]) => sum + numel, 0);
  // All are trained but the tower.
  const all = [...model.namedParameters()].filter(([name]) => !name.startsWith('visual.'));
  const trained = all.reduce((sum, [, { numel }]) => sum + numel, 0);
  return { blockParameters, restParameters: trained - blockParameters };
}

console.log(JSON.stringify(measure(JSON.parse(process.argv[2] ?? '') as ScaleSettings)));
