// The data of a stage made ready: the file with its order, who gets which pack, the loader over both.

import { existsSync } from 'node:fs';
import { OneVisionError } from '../../core/errors.ts';
import { hashUint32 } from '../../core/hash.ts';
import { balanceSteps } from '../../pack/balance/steps.ts';
import { tokenizerHash } from '../../pack/lengths.ts';
import { drawOrder, type OrderPhase, writeOrder } from '../../pack/order.ts';
import type { PackFacts } from '../../pack/read.ts';
import type { Ranks } from '../parallel/ranks.ts';
import { orderPath, type PreparedStage, packFolders, packSources, phaseSteps } from '../stage.ts';
import type { TrainOptions } from '../train-options.ts';
import { localAssembly, workerAssembly } from './assembly-line.ts';
import { type Dealing, openDealing } from './dealing.ts';
import { Loader } from './loader.ts';
import { packCosts } from './pack-costs.ts';
import { openPackSets } from './pack-sets.ts';

/** The packs of a stage: their order, what is known of them, who gets which. */
export interface StageData {
  /** Path of the order's file. */
  readonly order: string;
  readonly facts: PackFacts;
  readonly dealing: Dealing;
}

/** @throws OneVisionError 'data' for packs of another tokenizer */
export async function openStageData(
  stage: PreparedStage,
  { run, tokenizer }: Pick<TrainOptions, 'run' | 'tokenizer'>,
  ranks: Ranks,
): Promise<StageData> {
  return {
    ...(await prepareOrder(stage, run.paths.packs, tokenizer)),
    dealing: await openDealing(packFolders(stage), ranks.numOwners),
  };
}

/** The steps of a stage from a cursor on. */
export function openLoader(
  stage: PreparedStage,
  { order, facts, dealing }: StageData,
  options: { readonly tokenizer: string; readonly ranks: Ranks; readonly firstStep: number },
): Loader {
  const { config } = stage;
  const { packsPerStep, prefetch, workers } = config;
  const { tokenizer, ranks, firstStep } = options;
  // The mean over packs is taken in the step; there all tokens of a pack count alike.
  const lossWeighting = config.lossWeighting === 'pack-mean' ? 'token-mean' : config.lossWeighting;
  const spec = {
    packDirs: packFolders(stage),
    tokenizer,
    settings: { ...config, lossWeighting, processor: facts.processor },
  };
  return new Loader({
    order,
    packsPerStep,
    firstStep,
    prefetch,
    share: (entries) => dealing.share(entries, ranks.owner),
    line: workers === 0 ? localAssembly(spec) : workerAssembly(spec, workers),
  });
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
  const costs = packsPerStep > 1 ? await allCosts(folders) : undefined;
  // As many ranks as packs: every way to share a step out is as even as another.
  const shape = { packsPerStep, ranks: packsPerStep };
  await writeOrder(path, costs === undefined ? order : balanceSteps(order, costs, shape, key));
  return { order: path, facts };
}

/** What every pack costs, set after set; undefined where it is not known of all. */
async function allCosts(folders: readonly string[]): Promise<Float64Array | undefined> {
  const costs: number[] = [];
  for (const folder of folders) {
    const known = await packCosts(folder);
    if (known === undefined) return undefined;
    for (const cost of known) costs.push(cost);
  }
  return Float64Array.from(costs);
}
