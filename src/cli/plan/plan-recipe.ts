// The work behind `onevision plan`: what each stage of a recipe computes, how long that takes and what
// it costs on some GPUs. Loads no engine.
import type { OneVisionConfig } from '../../model/config.ts';
import { type Recipe, STAGES, type StageName } from '../../recipe.ts';
import type { TrainConfig } from '../../train/config.ts';
import { addCosts, type Cluster, type Cost, costOfFlops } from '../../train/price/cost.ts';
import { type TrainFlops, trainFlops } from '../../train/price/flops.ts';
import { ALTERNATIVES, ASSUMED_MFU, findGpu, type Gpu } from '../../train/price/gpus.ts';
import { type MemoryPlan, planMemory } from '../../train/price/memory.ts';
import {
  ASSUMED_PACK,
  type MeanPack,
  meanPack,
  type PackShape,
  workOfShape,
} from '../../train/price/schedule-work.ts';
import { addWork, NO_WORK, scaleWork, type Work } from '../../train/price/work.ts';
import { type PackSource, packSources, phaseSteps } from '../../train/stage.ts';
import { type PipelineContext, stagePhases } from '../pipeline.ts';
import { modelConfig } from './model-config.ts';

/** What one stage takes. */
export interface StagePrice {
  readonly stage: StageName;
  readonly steps: number;
  /** Packs that are trained on, with repeats. */
  readonly packs: number;
  readonly work: Work;
  readonly flops: TrainFlops;
  readonly cost: Cost;
  readonly memory: StageMemory;
}

/** Peak bytes of one GPU, by what the GPUs share. */
export interface StageMemory {
  readonly nothingShared: MemoryPlan;
  /** float32 copies and optimizer state (ZeRO-1). */
  readonly stateShared: MemoryPlan;
  /** Weights and gradients too (fully sharded). */
  readonly allShared: MemoryPlan;
}

export interface PlanSettings {
  readonly cluster: Cluster;
  /** MFU, 0 … 1; undefined is the assumed one. */
  readonly mfu?: number | undefined;
}

export interface RecipePlan {
  readonly name: string;
  readonly model: OneVisionConfig;
  readonly cluster: Cluster;
  readonly mfu: number;
  readonly stages: readonly StagePrice[];
  readonly total: Cost;
  /** The same on other GPUs, as many of them. */
  readonly alternatives: readonly { readonly gpu: Gpu; readonly cost: Cost }[];
  readonly assumptions: readonly string[];
}

/** Prices a recipe. */
export async function planRecipe(
  context: PipelineContext,
  { cluster, mfu = ASSUMED_MFU }: PlanSettings,
): Promise<RecipePlan> {
  const { recipe } = context;
  const model = modelConfig(recipe);
  const assumed = new Set<string>();
  const stages: StagePrice[] = [];
  for (const stage of STAGES) {
    const { train } = recipe.stages[stage];
    const work = await stageWork(context, stage, assumed);
    const flops = trainFlops(model, work, train);
    const cost = costOfFlops(flops.model, mfu, cluster);
    const packs = train.steps * train.packsPerStep;
    const memory = stageMemory(model, train, fullPack(work, packs, recipe), cluster.numGpus);
    stages.push({ stage, steps: train.steps, packs, work, flops, cost, memory });
  }
  const flops = stages.reduce((sum, stage) => sum + stage.flops.model, 0);
  const alternatives = ALTERNATIVES.map(findGpu)
    .filter((gpu) => gpu !== undefined)
    .map((gpu) => {
      const others = { ...cluster, gpu, pricePerHour: gpu.pricePerHour };
      return { gpu, cost: costOfFlops(flops, mfu, others) };
    });
  const total = addCosts(stages.map(({ cost }) => cost));
  const assumptions = [...assumed, ...common(recipe, mfu)];
  return { name: recipe.name, model, cluster, mfu, stages, total, alternatives, assumptions };
}

/** The mean pack of a stage, filled to the brim. */
function fullPack(work: Work, packs: number, { pack }: Recipe): Work {
  return scaleWork(work, pack.maxTokens / Math.max(1, work.tokens / packs) / packs);
}

function stageMemory(
  model: OneVisionConfig,
  train: TrainConfig,
  pack: Work,
  shards: number,
): StageMemory {
  const work = scaleWork(pack, train.microBatchPacks);
  // Each GPU gets its part of the packs of a step.
  const packsPerStep = Math.max(train.microBatchPacks, Math.ceil(train.packsPerStep / shards));
  const settings = { ...train, packsPerStep };
  return {
    nothingShared: planMemory(model, settings, work),
    stateShared: planMemory(model, settings, work, { shards }),
    allShared: planMemory(model, settings, work, { shards, shareWeights: true }),
  };
}

function common(recipe: Recipe, mfu: number): string[] {
  const measured = mfu === ASSUMED_MFU ? ', assumed: peers with images report 30 to 40 %' : '';
  return [
    `MFU ${(100 * mfu).toFixed(1)} %${measured}; nothing for failures, evaluation and waiting`,
    'memory of a full pack a micro-batch, AdamW; not the allocator, its fragments, CUDA and collectives',
    'all text is supervised; one image a sample; attention causal, inside samples; tower counted',
    `steps and packs by the schedule of ${recipe.name}; prices of other GPUs are assumptions`,
  ];
}

/** Everything a stage gets through, by its packs or by what is assumed of them. */
async function stageWork(
  context: PipelineContext,
  stage: StageName,
  assumed: Set<string>,
): Promise<Work> {
  const { recipe } = context;
  const { train } = recipe.stages[stage];
  const patchesPerToken = recipe.processor.mergeSize ** 2;
  const shape = { ...ASSUMED_PACK, tokens: recipe.pack.maxTokens, patchesPerToken };
  const phases = stagePhases(context, stage);
  const steps = phaseSteps({ name: stage, config: train, phases });
  let work = NO_WORK;
  for (const [index, phase] of phases.entries()) {
    const packs = (steps[index] ?? 0) * train.packsPerStep;
    const sources = packSources(phase);
    const found = await Promise.all(sources.map(({ from }) => meanPack(from, patchesPerToken)));
    const measured = found.filter((set) => set !== undefined);
    const isMeasured = measured.length === sources.length;
    if (!isMeasured) assumed.add(describe(shape));
    const pack = isMeasured ? weightedMean(sources, measured) : workOfShape(shape);
    work = addWork(work, scaleWork(pack, packs));
  }
  return work;
}

function describe({ tokens, segments, imageShare }: PackShape): string {
  return (
    `packs that are not there yet: ${tokens} tokens, ${segments} samples of equal length (paper), ` +
    `${100 * imageShare} % of the tokens of images (assumed)`
  );
}

/** The mean pack of several sets by their shares of a phase. */
function weightedMean(sources: readonly PackSource[], sets: readonly MeanPack[]): Work {
  const weights = sets.map(({ numPacks }, i) => {
    const { count, epochs, weight } = sources[i] ?? {};
    return weight ?? count ?? (epochs ?? 1) * numPacks;
  });
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  return sets.reduce(
    (sum, { work }, i) => addWork(sum, scaleWork(work, (weights[i] ?? 0) / total)),
    NO_WORK,
  );
}
