// The losses of a step: by source, by sample, over ranks. Numbers only; tensors are step.ts's.

import { NO_TARGET } from '../../model/batch.ts';
import type { AssembledPack } from '../data/segments.ts';

/** Σ weight · loss and Σ weight of some tokens. */
export interface LossSum {
  sum: number;
  weight: number;
}

/** Mean loss of a sample. */
interface SampleLoss {
  readonly uid: string;
  readonly loss: number;
}

/** The losses of one rank's packs; JSON can hold them. */
export interface RankLosses {
  readonly bySource: readonly (readonly [source: string, sum: LossSum])[];
  /** Samples whose loss is not finite. */
  readonly bad: readonly string[];
  /** Samples of highest loss. */
  readonly worst: readonly SampleLoss[];
}

/** Samples of highest loss that a step remembers. */
const NUM_WORST = 8;

/** Adds up the losses of micro-batches. */
export class LossLog {
  readonly #bySource = new Map<string, LossSum>();
  readonly #bad: string[] = [];
  #worst: SampleLoss[] = [];

  get all(): RankLosses {
    return { bySource: [...this.#bySource], bad: this.#bad, worst: this.#worst };
  }

  /** Adds a micro-batch: its losses in order of its supervised tokens. */
  add(packs: readonly AssembledPack[], losses: readonly number[]): void {
    let next = 0;
    for (const { batch, sources, uids } of packs) {
      for (const [segment, source] of sources.entries()) {
        const own = { sum: 0, weight: 0 };
        let allFinite = true;
        const end = batch.cuSeqlens[segment + 1] ?? 0;
        const total = this.#bySource.get(source) ?? { sum: 0, weight: 0 };
        for (let i = batch.cuSeqlens[segment] ?? 0; i < end; i += 1) {
          if (batch.targets[i] === NO_TARGET) continue;
          const weight = batch.lossWeights[i] ?? 1;
          const loss = losses[next] ?? Number.NaN;
          allFinite &&= Number.isFinite(loss);
          for (const sums of [own, total]) {
            sums.sum += weight * loss;
            sums.weight += weight;
          }
          next += 1;
        }
        const uid = uids[segment] ?? source;
        if (!allFinite) this.#bad.push(uid);
        if (own.sum > 0) this.#worst.push({ uid, loss: own.sum / own.weight });
        this.#bySource.set(source, total);
      }
    }
    this.#worst = highest(this.#worst);
  }
}

/** The losses of all ranks by source; sources in order of their names where there are several ranks. */
export function mergeLosses(parts: readonly RankLosses[]): Map<string, LossSum> {
  const [only] = parts;
  if (parts.length === 1 && only !== undefined) return new Map(only.bySource);
  const merged = new Map<string, LossSum>();
  for (const [source, { sum, weight }] of parts.flatMap(({ bySource }) => bySource)) {
    const total = merged.get(source) ?? { sum: 0, weight: 0 };
    merged.set(source, { sum: total.sum + sum, weight: total.weight + weight });
  }
  return new Map([...merged].sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** The samples of highest loss over all ranks. */
export function worstOf(parts: readonly RankLosses[]): string[] {
  return highest(parts.flatMap(({ worst }) => worst)).map(({ uid }) => uid);
}

function highest(samples: readonly SampleLoss[]): SampleLoss[] {
  return samples.toSorted((a, b) => b.loss - a.loss).slice(0, NUM_WORST);
}
