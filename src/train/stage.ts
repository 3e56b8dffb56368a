// A stage made ready: its packs, its order, its place in the run. Trains nothing.

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { OneVisionError } from '../core/errors.ts';
import { hashUint32 } from '../core/hash.ts';
import { tokenizerHash } from '../pack/lengths.ts';
import { drawOrder, type OrderPhase, writeOrder } from '../pack/order.ts';
import type { PackFacts } from '../pack/read.ts';
import { hashConfig, readManifest } from '../sample/manifest.ts';
import type { TrainConfig } from './config.ts';
import { openPackSets } from './data/pack-sets.ts';

/** One stretch of a stage on one pack set; several make a curriculum within the stage. */
export interface StagePhase {
  /** Folder of a finished pack set. */
  readonly packs: string;
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
      readManifest(phase.packs).configHash,
      steps[index],
    ]);
    history = hashConfig(history, stage.name, Object.fromEntries(settings), packs);
    prepared.push({ ...stage, firstStep, historyHash: history });
    firstStep += stage.config.steps;
  }
  return prepared;
}

/**
 * The file with the order of a stage's packs, drawn where it is not there yet.
 * @throws OneVisionError 'data' when the packs were counted with another tokenizer.
 */
export async function prepareOrder(
  stage: PreparedStage,
  packsDir: string,
  tokenizer: string,
): Promise<{ order: string; facts: PackFacts }> {
  const sets = openPackSets(stage.phases.map((phase) => phase.packs));
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
  const phases = phaseSteps(stage).map(
    (steps, index): OrderPhase => ({
      sets: [{ numPacks: sets.readers[index]?.numPacks ?? 0 }],
      length: steps * packsPerStep,
    }),
  );
  const path = orderPath(packsDir, stage);
  if (!existsSync(path)) {
    await writeOrder(path, drawOrder(phases, hashUint32('stage', stage.name, seed)));
  }
  return { order: path, facts };
}

/** Steps of each phase; they sum to the stage's. */
function phaseSteps(stage: StagePlan): number[] {
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
