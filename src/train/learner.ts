// What a stage learns with: the trained parameters, their float32 copies, adapters, the optimizer and
// the average. Owns all of it but the model, and knows what a checkpoint must hold of it.

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { OneVision } from '../model/onevision.ts';
import { Lora } from '../nn/lora.ts';
import { Ema } from '../nn/optim/ema.ts';
import { Masters } from '../nn/optim/masters.ts';
import { copyState, type Optimizer } from '../nn/optim/optimizer.ts';
import { noGrad, type Tensor } from '../tensor/index.ts';
import * as ops from '../tensor/ops.ts';
import { openSafetensors } from '../tensor/safetensors.ts';
import type { TrainConfig } from './config.ts';
import { createOptimizer, partOf, selectTrainable } from './optimizer.ts';

export const OPTIMIZER_FILE = 'optimizer.safetensors';
const EMA_FILE = 'ema.safetensors';
const LORA_FILE = 'lora.safetensors';
const BASE = '.base';

export class Learner {
  readonly model: OneVision;
  /** Trained parameters of the model, adapters included. */
  readonly parameters: ReadonlyMap<string, Tensor>;
  readonly masters: Masters | undefined;
  readonly optimizer: Optimizer;
  readonly #ema: Ema | undefined;
  #lora: Lora | undefined;

  /** @param exact float32 weights that the model's are roundings of, where there are such */
  constructor(model: OneVision, config: TrainConfig, exact?: ReadonlyMap<string, Tensor>) {
    const { trainable, precision, offload, lora, emaDecay, seed } = config;
    this.model = model;
    const adapted = lora?.parts ?? [];
    const own = selectTrainable(
      model,
      trainable.filter((part) => !adapted.includes(part)),
    );
    if (lora !== undefined) this.#lora = new Lora(linearsOf(model, adapted), { ...lora, seed });
    const adapters = this.#lora?.parameters() ?? new Map<string, Tensor>();
    for (const adapter of adapters.values()) adapter.requiresGrad = true;
    this.parameters = new Map([...own, ...adapters]);
    if (precision === 'bfloat16' || offload) {
      this.masters = new Masters(this.parameters, exact, offload ? 'cpu' : model.device);
    }
    this.optimizer = createOptimizer(this.learned, config.optimizer, seed);
    if (emaDecay !== undefined) this.#ema = new Ema(this.learned, emaDecay);
  }

  /** The tensors that the optimizer changes. */
  get learned(): ReadonlyMap<string, Tensor> {
    return this.masters?.tensors ?? this.parameters;
  }

  /** To be called after every update. */
  average(): void {
    this.#ema?.update();
  }

  /** A weight as other tools shall see it: with its adapter in it; null where it is as it is. */
  merged(name: string): Tensor | null {
    return this.#lora?.merged(name) ?? null;
  }

  /** The end of the stage: adapters become part of the weights. */
  merge(): void {
    this.#lora?.merge();
    this.#lora = undefined;
  }

  /** What a checkpoint holds beside the model: file → tensors, the live ones. */
  files(): Map<string, ReadonlyMap<string, Tensor>> {
    const optimizer = new Map([...this.optimizer.state(), ...(this.masters?.state() ?? [])]);
    const files = new Map<string, ReadonlyMap<string, Tensor>>([[OPTIMIZER_FILE, optimizer]]);
    if (this.#ema !== undefined) files.set(EMA_FILE, this.#ema.state());
    if (this.#lora !== undefined) files.set(LORA_FILE, loraState(this.#lora));
    return files;
  }

  /**
   * Continues from a checkpoint of this stage; the model holds its weights already.
   * @throws OneVisionError 'checkpoint' where it is of other settings.
   */
  load(dir: string): void {
    if (this.#lora !== undefined) {
      const saved = readTensors(join(dir, LORA_FILE));
      copyState(loraState(this.#lora), saved.tensors);
      saved.close();
    }
    const saved = readTensors(join(dir, OPTIMIZER_FILE));
    const isMaster = ([name]: readonly [string, Tensor]): boolean => name.endsWith('.master');
    const entries = [...saved.tensors];
    const masters = entries.filter(isMaster);
    // float32 weights whose offload begins here are their own copies.
    if (masters.length > 0) this.masters?.loadState(new Map(masters));
    this.optimizer.loadState(new Map(entries.filter((entry) => !isMaster(entry))));
    saved.close();
    if (this.#ema === undefined || !existsSync(join(dir, EMA_FILE))) return;
    const averages = readTensors(join(dir, EMA_FILE));
    this.#ema.loadState(averages.tensors);
    averages.close();
  }

  /** Starts anew with the weights the model holds now: no momentum, no adapters' change. */
  restart(): void {
    this.#lora?.reset();
    noGrad(() => {
      for (const tensor of this.optimizer.state().values()) ops.zero_(tensor);
      for (const [name, master] of this.masters?.tensors ?? []) {
        ops.copy_(master, this.parameters.get(name) as Tensor);
      }
    });
  }

  [Symbol.dispose](): void {
    this.optimizer[Symbol.dispose]();
    this.masters?.[Symbol.dispose]();
    this.#ema?.[Symbol.dispose]();
    this.#lora?.[Symbol.dispose]();
  }
}

/** The linear layers of some parts; the output head is none of them. */
function linearsOf(
  model: OneVision,
  parts: TrainConfig['trainable'],
): ReturnType<OneVision['linears']> {
  const chosen = [...model.linears()].filter(
    ([name]) => name !== 'lm_head.weight' && parts.includes(partOf(name)),
  );
  return new Map(chosen);
}

/** Adapters, and the weights below them: those in the model's file have the adapters in them. */
function loraState(lora: Lora): Map<string, Tensor> {
  const bases = [...lora.bases()].map(([name, tensor]) => [`${name}${BASE}`, tensor] as const);
  return new Map([...lora.parameters(), ...bases]);
}

function readTensors(path: string): { tensors: ReadonlyMap<string, Tensor>; close: () => void } {
  const file = openSafetensors(path);
  const tensors = new Map(file.names.map((name) => [name, file.tensor(name)]));
  const close = (): void => {
    for (const tensor of tensors.values()) tensor.dispose();
    file.close();
  };
  return { tensors, close };
}
