// What a stage learns with: the trained parameters, their float32 copies, adapters, the optimizer and
// the average. Owns all of it but the model, and knows what a checkpoint must hold of it.

import type { OneVision } from '../model/onevision.ts';
import { Lora } from '../nn/lora.ts';
import { type Copies, Originals } from '../nn/optim/copies.ts';
import { Ema } from '../nn/optim/ema.ts';
import { Masters } from '../nn/optim/masters.ts';
import type { Optimizer } from '../nn/optim/optimizer.ts';
import type { Shards } from '../parallel/shards.ts';
import { noGrad, type Tensor } from '../tensor/index.ts';
import * as ops from '../tensor/ops.ts';
import type { TrainConfig } from './config.ts';
import { createOptimizer, partOf, selectTrainable } from './optimizer.ts';
import { SavedState } from './saving/saved-state.ts';

const OPTIMIZER_FILE = 'optimizer';
const EMA_FILE = 'ema';
export const LORA_FILE = 'lora';
const BASE = '.base';

/** Cuts what is trained over ranks. */
export type Sharding = (
  model: OneVision,
  trained: ReadonlyMap<string, Tensor>,
  exact: ReadonlyMap<string, Tensor> | undefined,
) => Shards;

export class Learner {
  readonly model: OneVision;
  /** Trained parameters of the model, adapters included. */
  readonly parameters: ReadonlyMap<string, Tensor>;
  /** What the optimizer changes. */
  readonly copies: Copies;
  /** The same, where it is cut over ranks. */
  readonly shards: Shards | undefined;
  readonly optimizer: Optimizer;
  readonly #ema: Ema | undefined;
  #lora: Lora | undefined;

  /**
   * @param exact float32 weights that the model's are roundings of, where there are such
   * @param shard for several ranks
   */
  constructor(
    model: OneVision,
    config: TrainConfig,
    exact?: ReadonlyMap<string, Tensor>,
    shard?: Sharding,
  ) {
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
    this.shards = shard?.(model, this.parameters, exact);
    const copied = precision === 'bfloat16' || offload;
    const alone = (): Copies =>
      copied
        ? new Masters(this.parameters, exact, offload ? 'cpu' : model.device)
        : new Originals(this.parameters);
    this.copies = this.shards ?? alone();
    const { tensors } = this.copies;
    this.optimizer = createOptimizer(tensors, config.optimizer, seed, this.shards?.shapes);
    if (emaDecay !== undefined) this.#ema = new Ema(tensors, emaDecay);
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
    if (this.#lora === undefined) return;
    using _weights = this.copies.open();
    this.#lora.merge();
    this.shards?.refresh();
    this.#lora = undefined;
  }

  /**
   * What a checkpoint holds beside the model: name of a file → tensors, the live ones. With several
   * ranks each has its own part of these files, but for the adapters, which all ranks have.
   */
  files(): Map<string, ReadonlyMap<string, Tensor>> {
    const optimizer = new Map([...this.optimizer.state(), ...this.copies.state()]);
    const files = new Map<string, ReadonlyMap<string, Tensor>>([[OPTIMIZER_FILE, optimizer]]);
    if (this.#ema !== undefined) files.set(EMA_FILE, this.#ema.state());
    if (this.#lora !== undefined) files.set(LORA_FILE, loraState(this.#lora));
    return files;
  }

  /**
   * Continues from a checkpoint of this stage, of any number of ranks; the model holds its weights
   * already.
   * @throws OneVisionError 'checkpoint' where it is of other settings.
   */
  load(dir: string): void {
    const { copies } = this;
    const options = { isForAll: this.shards === undefined };
    if (this.#lora !== undefined) {
      using saved = new SavedState(dir, LORA_FILE, options);
      const lora = loraState(this.#lora);
      using _weights = copies.open();
      saved.copyTo(lora);
      copies.refresh();
    }
    using saved = new SavedState(dir, OPTIMIZER_FILE, options);
    // float32 weights whose offload begins here are their own copies.
    const isMaster = (name: string): boolean => name.endsWith('.master');
    if (saved.has('.master')) {
      saved.load(copies.state(), (state) => copies.loadState(state), isMaster);
    }
    const { optimizer } = this;
    const apply = (state: ReadonlyMap<string, Tensor>): void => optimizer.loadState(state);
    saved.load(optimizer.state(), apply, (name) => !isMaster(name));
    if (this.#ema === undefined || !SavedState.isIn(dir, EMA_FILE)) return;
    using averages = new SavedState(dir, EMA_FILE, options);
    averages.copyTo(this.#ema.state());
  }

  /** Starts anew with the weights the model holds now: no momentum, no adapters' change. */
  restart(): void {
    this.#lora?.reset();
    noGrad(() => {
      for (const tensor of this.optimizer.state().values()) ops.zero_(tensor);
    });
    this.copies.refresh();
  }

  [Symbol.dispose](): void {
    this.optimizer[Symbol.dispose]();
    this.copies[Symbol.dispose]();
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
