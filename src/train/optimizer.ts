// Which parameters are trained, by which optimizer, with which settings. The update rules are in nn.

import { OneVisionError } from '../core/errors.ts';
import type { OneVision } from '../model/onevision.ts';
import { AdamW } from '../nn/optim/adamw.ts';
import { isMuonMatrix, Muon } from '../nn/optim/muon.ts';
import { combineOptimizers, type Optimizer, type ParameterGroup } from '../nn/optim/optimizer.ts';
import type { Tensor } from '../tensor/index.ts';
import type { OptimizerConfig, Part } from './config.ts';

/** The part a parameter belongs to, by its Hugging Face name. */
export function partOf(name: string): Part {
  if (name.startsWith('visual.merger.')) return 'merger';
  return name.startsWith('visual.') ? 'vision' : 'language';
}

/**
 * Freezes the model but for the given parts: a frozen parameter builds no graph.
 * @returns the trained parameters by name.
 */
export function selectTrainable(model: OneVision, parts: readonly Part[]): Map<string, Tensor> {
  const trained = new Map<string, Tensor>();
  for (const [name, parameter] of model.namedParameters()) {
    parameter.requiresGrad = parts.includes(partOf(name));
    if (parameter.requiresGrad) trained.set(name, parameter);
  }
  return trained;
}

/**
 * The optimizer of a stage. One group for each part, kind of tensor and method: matrices decay,
 * vectors (norms, biases) do not; a part's learning rate is a multiple of the common one.
 * @param shapes what is cut over ranks is a piece of a parameter of this shape
 */
export function createOptimizer(
  parameters: ReadonlyMap<string, Tensor>,
  config: OptimizerConfig,
  seed = 0,
  shapes: ReadonlyMap<string, readonly number[]> = new Map(),
): Optimizer {
  if (parameters.size === 0 && shapes.size === 0) {
    throw new OneVisionError('recipe', 'expected parameters to train, came none', {
      hint: 'name at least one part in `trainable`',
    });
  }
  const byMethod = Map.groupBy(parameters, ([name, parameter]) =>
    config.name === 'muon' && isMuonMatrix(name, parameter) ? 'muon' : 'adamw',
  );
  const adamw = new AdamW(groups(byMethod.get('adamw') ?? [], config, shapes), {
    betas: config.betas,
    eps: config.eps,
    seed,
  });
  const matrices = byMethod.get('muon');
  if (matrices === undefined) return adamw;
  const muon = new Muon(groups(matrices, config, shapes), { momentum: config.momentum });
  return combineOptimizers([muon, adamw]);
}

function groups(
  parameters: readonly (readonly [string, Tensor])[],
  config: OptimizerConfig,
  shapes: ReadonlyMap<string, readonly number[]>,
): ParameterGroup[] {
  const decays = (name: string, parameter: Tensor): boolean =>
    (shapes.get(name) ?? parameter.shape).filter((size) => size > 1).length > 1;
  const grouped = Map.groupBy(
    parameters,
    ([name, parameter]) => `${partOf(name)} ${decays(name, parameter)}`,
  );
  return [...grouped.values()].map((members) => {
    const [name = '', parameter] = members[0] ?? [];
    return {
      parameters: new Map(members),
      lrScale: config.partLr[partOf(name)] ?? 1,
      weightDecay: parameter !== undefined && decays(name, parameter) ? config.weightDecay : 0,
    };
  });
}
