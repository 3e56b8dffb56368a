// A stage made ready: its packs and its place in the run. Reads no pack: data/stage-data.ts does.

import { join } from 'node:path';
import { OneVisionError } from '../core/errors.ts';
import type { Share } from '../pack/mixture.ts';
import { hashConfig, readManifest } from '../sample/manifest.ts';
import type { TrainConfig } from './config.ts';

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
