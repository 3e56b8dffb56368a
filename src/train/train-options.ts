// What a training is told: where it writes, what it trains on, who trains together.

import type { Logger } from '../core/log.ts';
import type { OneVision } from '../model/onevision.ts';
import type { ProcessGroup } from '../parallel/process-group.ts';
import type { GeneratedRow } from '../track/protocol.ts';
import type { RunWriter } from '../track/run.ts';
import type { StagePlan } from './stage.ts';
import type { StepResult } from './step.ts';

export interface TrainOptions {
  readonly run: RunWriter;
  readonly stages: readonly StagePlan[];
  /** Folder of the tokenizer that the packs were counted with. */
  readonly tokenizer: string;
  /** Makes the model that the first stage starts from. */
  readonly createModel: () => OneVision;
  /** Names that model (sizes and seed, or a checkpoint); another name cannot be resumed. */
  readonly modelHash: string;
  /** Where the model is trained; `createModel` puts it there. Default: the processor. */
  readonly device?: string | undefined;
  readonly log: Logger;
  /** Who trains together: every rank calls `train` with the same options. Default: this process. */
  readonly group?: ProcessGroup | undefined;
  /** Called after every step, with the steps done over all stages. */
  readonly onStep?: (step: number, result: StepResult) => void;
  /** What the model says on fixed prompts, written to `samples/` every so many steps. */
  readonly generate?: {
    readonly every: number;
    readonly rows: (model: OneVision) => Promise<readonly GeneratedRow[]>;
  };
}
