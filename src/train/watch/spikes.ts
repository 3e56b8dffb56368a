// Steps whose loss or gradient stands out from those before: measured against the recent past, before
// a weight changes. What is done about one is the trainer's business.

import { readdirSync } from 'node:fs';

/** What a step is judged by. */
export interface StepNumbers {
  readonly loss: number;
  readonly gradNorm: number;
}

/** Steps that are remembered, and how many there must be before any is judged. */
const WINDOW = 32;
const FEWEST = 16;
/** A loss this many robust deviations and this many times above the median stands out. */
const DEVIATIONS = 10;
const LOSS_TIMES = 1.5;
/** So does a gradient that many times above its median. */
const GRADIENT_TIMES = 10;

/** Judges steps one after the other. */
export class Spikes {
  readonly #recent: StepNumbers[];

  /** @param recent what a checkpoint kept */
  constructor(recent: readonly StepNumbers[] = []) {
    this.#recent = [...recent];
  }

  /** The steps that a checkpoint keeps, so that a resumed run judges alike. */
  get recent(): readonly StepNumbers[] {
    return this.#recent;
  }

  /** Why a step stands out; undefined where it does not, and then it is remembered. */
  judge(step: StepNumbers): string | undefined {
    const reason = this.#recent.length < FEWEST ? undefined : this.#reason(step);
    if (reason !== undefined) return reason;
    this.#recent.push(step);
    if (this.#recent.length > WINDOW) this.#recent.shift();
    return undefined;
  }

  #reason({ loss, gradNorm }: StepNumbers): string | undefined {
    const losses = this.#recent.map((step) => step.loss);
    const middle = median(losses);
    const deviation = 1.4826 * median(losses.map((value) => Math.abs(value - middle)));
    const limit = Math.max(middle + DEVIATIONS * deviation, LOSS_TIMES * middle);
    if (loss > limit) return `loss ${loss.toFixed(4)} above ${limit.toFixed(4)}`;
    const most = GRADIENT_TIMES * median(this.#recent.map((step) => step.gradNorm));
    if (gradNorm > most) {
      return `gradient norm ${gradNorm.toPrecision(4)} above ${most.toPrecision(4)}`;
    }
    return undefined;
  }
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? 0;
}

/** Name of the newest checkpoint in a folder of them. */
export function lastSaved(checkpoints: string): string {
  const names = readdirSync(checkpoints).filter((name) => name.startsWith('step-'));
  return names.sort().at(-1) ?? 'none yet';
}
