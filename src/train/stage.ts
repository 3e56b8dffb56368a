// A stage made ready: its packs, its order, its place in the run. Trains nothing.

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { OneVisionError } from '../core/errors.ts';
import { hashUint32 } from '../core/hash.ts';
import { costOf, DEFAULT_COST } from '../pack/balance/cost.ts';
import { balanceSteps } from '../pack/balance/steps.ts';
import { tokenizerHash } from '../pack/lengths.ts';
import type { Share } from '../pack/mixture.ts';
import { drawOrder, type OrderPhase, writeOrder } from '../pack/order.ts';
import type { PackFacts } from '../pack/read.ts';
import { PACK_TABLE, packRows } from '../pack/write/pack-table.ts';
import { hashConfig, readManifest } from '../sample/manifest.ts';
import type { TrainConfig } from './config.ts';
import { openPackSets } from './data/pack-sets.ts';

/** A pack set and how much of a phase it gets: packs, epochs or a weight. None: by its size. */
export interface PackSource extends Share {
  /** Its folder. */
  readonly from: string;
}

/** One stretch of a stage on some pack sets; several make a curriculum within the stage. */
export interface StagePhase {
  /** Folder of a finished pack set, or several with their shares. */
  readonly packs: string | readonly PackSource[];
  /** Steps on it. The one phase without a number takes what is left. */
  readonly steps?: number | undefined;
}

/** What is to be trained in one stage. */
export interface StagePlan {
  readonly name: string;
  readonly config: TrainConfig;
  readonly phases: readonly StagePhase[];
}

/** A stage with its place in the run. */
export interface PreparedStage extends StagePlan {
  /** Steps of the stages before it. */
  readonly firstStep: number;
  /** Hash of all that decides the weights at its end: settings and packs, of earlier stages too. */
  readonly historyHash: string;
}

/** Settings that change no weight. */
const HARMLESS = [
  'recompute',
  'offload',
  'dryRun',
  'sharding',
  'shardRanks',
  'sequenceRanks',
  'keepEvery',
  'logEvery',
  'saveEvery',
  'keepLast',
  'prefetch',
  'workers',
  'imageCacheMiB',
];

/**
 * Checks the stages of a run and finds the place of each.
 * @throws OneVisionError 'recipe' for steps that do not add up or names used twice.
 */
export function prepareStages(stages: readonly StagePlan[], start: string): PreparedStage[] {
  const prepared: PreparedStage[] = [];
  let firstStep = 0;
  let history = start;
  for (const stage of stages) {
    if (prepared.some((other) => other.name === stage.name)) {
      throw new OneVisionError(
        'recipe',
        `expected stages of different names, came ${stage.name} twice`,
      );
    }
    const settings = Object.entries(stage.config).filter(([key]) => !HARMLESS.includes(key));
    const steps = phaseSteps(stage);
    const packs = stage.phases.map((phase, index) => [
      ...packSources(phase).map(({ from, ...share }) => [readManifest(from).configHash, share]),
      steps[index],
    ]);
    history = hashConfig(history, stage.name, Object.fromEntries(settings), packs);
    prepared.push({ ...stage, firstStep, historyHash: history });
    firstStep += stage.config.steps;
  }
  return prepared;
}

/** The pack sets of a phase. */
export function packSources({ packs }: StagePhase): readonly PackSource[] {
  return typeof packs === 'string' ? [{ from: packs }] : packs;
}

/** Folders of a stage's pack sets, in the order in which their packs are numbered. */
export function packFolders({ phases }: StagePlan): string[] {
  return phases.flatMap(packSources).map(({ from }) => from);
}

/**
 * The file with the order of a stage's packs, drawn where it is not there yet. The packs of a step
 * cost about the same, so that no rank waits for another however many share them.
 * @throws OneVisionError 'data' when the packs were counted with another tokenizer.
 */
export async function prepareOrder(
  stage: PreparedStage,
  packsDir: string,
  tokenizer: string,
): Promise<{ order: string; facts: PackFacts }> {
  const folders = packFolders(stage);
  const sets = openPackSets(folders);
  sets.close();
  const facts = sets.readers[0]?.facts;
  if (facts === undefined || facts.tokenizer !== tokenizerHash(tokenizer)) {
    throw new OneVisionError(
      'data',
      `expected packs counted with the tokenizer in ${tokenizer} for stage ${stage.name}, ` +
        `came packs of another one`,
      { hint: 'run the pack stage again with this tokenizer' },
    );
  }
  const { packsPerStep, seed } = stage.config;
  const path = orderPath(packsDir, stage);
  if (existsSync(path)) return { order: path, facts };
  const sizes = sets.readers.map((reader) => reader.numPacks);
  const steps = phaseSteps(stage);
  const phases = stage.phases.map((phase, index): OrderPhase => {
    const drawn = packSources(phase).map((share) => ({ ...share, numPacks: sizes.shift() ?? 0 }));
    return { sets: drawn, length: (steps[index] ?? 0) * packsPerStep };
  });
  const key = hashUint32('stage', stage.name, seed);
  const order = drawOrder(phases, key);
  const costs = packsPerStep > 1 ? await costsOf(folders) : undefined;
  // As many ranks as packs: every way to share a step out is as even as another.
  const shape = { packsPerStep, ranks: packsPerStep };
  await writeOrder(path, costs === undefined ? order : balanceSteps(order, costs, shape, key));
  return { order: path, facts };
}

/** What every pack costs, set after set; undefined where a set has no table of its packs. */
async function costsOf(folders: readonly string[]): Promise<Float64Array | undefined> {
  if (!folders.every((folder) => existsSync(join(folder, PACK_TABLE)))) return undefined;
  const costs: number[] = [];
  for (const folder of folders) {
    for await (const { squares, tokens, patchSquares } of packRows(folder)) {
      costs.push(costOf(DEFAULT_COST, [squares, tokens, patchSquares]));
    }
  }
  return Float64Array.from(costs);
}

/** Steps of each phase; they sum to the stage's. */
export function phaseSteps(stage: StagePlan): number[] {
  const { steps: total } = stage.config;
  const given = stage.phases.map((phase) => phase.steps);
  const open = given.filter((steps) => steps === undefined).length;
  const sum = given.reduce((a: number, b) => a + (b ?? 0), 0);
  if (stage.phases.length === 0 || open > 1 || sum > total || (open === 0 && sum !== total)) {
    throw new OneVisionError(
      'recipe',
      `expected phases whose steps sum to the ${total} of stage ${stage.name}, came ` +
        `${given.map((steps) => steps ?? 'rest').join(' + ') || 'none'}`,
      { hint: 'leave the steps of one phase open to give it what is left' },
    );
  }
  return given.map((steps) => steps ?? total - sum);
}

/** Where the order of a stage lies in a run. Other settings or packs have another file. */
export function orderPath(packsDir: string, stage: PreparedStage): string {
  return join(packsDir, `${stage.name}-${stage.historyHash.slice(0, 8)}.order`);
}
