// The checkpoints of a stage, written one at a time while it trains on.

import type { ProcessorConfig } from '../../image/config.ts';
import type { SaveCompanions } from '../../model/checkpoint.ts';
import { loadTokenizer } from '../../text/tokenizer.ts';
import type { RunWriter } from '../../track/run.ts';
import type { Learner } from '../learner.ts';
import { beginRankSave } from '../parallel/rank-save.ts';
import type { Ranks } from '../parallel/ranks.ts';
import { Background } from './background.ts';
import { pruneCheckpoints, saveCheckpointFolder, type TrainState } from './checkpoints.ts';
import { Snapshot } from './snapshot.ts';

export interface SaverOptions {
  readonly run: RunWriter;
  readonly learner: Learner;
  readonly ranks: Ranks;
  /** Folder of the tokenizer. */
  readonly tokenizer: string;
  readonly processor: ProcessorConfig;
  /** Which checkpoints stay. */
  readonly keep: Parameters<typeof pruneCheckpoints>[1];
}

export class Saver {
  readonly #options: SaverOptions;
  readonly #work: Background = new Background();
  readonly #stopped: AbortController = new AbortController();

  constructor(options: SaverOptions) {
    this.#options = options;
  }

  /** Copies what a checkpoint holds, which at the end of a stage has no adapters; begins to write. */
  async begin(state: TrainState): Promise<void> {
    const { run, learner, ranks, tokenizer, processor, keep } = this.#options;
    await this.settle();
    if (state.stageStep >= state.stageSteps) learner.merge();
    const write = await this.#copy(state, {
      tokenizer: loadTokenizer(tokenizer),
      image: processor,
    });
    this.#work.start(async () => {
      await write();
      if (ranks.rank > 0) return;
      run.logEvent('checkpoint', { stage: state.stage, step: state.step });
      await pruneCheckpoints(run.paths.checkpoints, keep);
    });
  }

  /** @throws what a write has failed with since the last look, such as 'disk' */
  check(): void {
    this.#work.check();
  }

  /** Waits for what is being written. @throws as `check` does */
  async settle(): Promise<void> {
    await this.#work.settle();
  }

  /** Training has failed here: what is being written no longer waits for other ranks. */
  abandon(): void {
    this.#stopped.abort();
  }

  /** @returns the work of writing the copy */
  async #copy(state: TrainState, companions: SaveCompanions): Promise<() => Promise<void>> {
    const { run, learner, ranks } = this.#options;
    const parent = run.paths.checkpoints;
    if (ranks.size > 1) {
      const stopped = this.#stopped.signal;
      return beginRankSave({ learner, ranks, parent, state, companions, stopped });
    }
    const snapshot = new Snapshot(learner);
    return async () => {
      using copies = snapshot;
      await saveCheckpointFolder(parent, state, async (dir) => {
        await copies.write(dir, companions);
        return undefined;
      });
    };
  }
}
