// The learning rate as a pure function of the step. Nothing to save, nothing to resume.

export interface CosineSchedule {
  /** Highest learning rate, reached at the end of the warm-up. */
  readonly peak: number;
  /** Learning rate after the last step. */
  readonly min: number;
  readonly warmupSteps: number;
  readonly totalSteps: number;
}

/**
 * Linear warm-up, then half a cosine from `peak` to `min`. Loshchilov and Hutter 2017.
 * @param step 0-based. Step 0 of a warm-up of n has peak / n; the last step is near `min`.
 */
export function cosineLr(step: number, schedule: CosineSchedule): number {
  const { peak, min, warmupSteps, totalSteps } = schedule;
  if (step < warmupSteps) return (peak * (step + 1)) / warmupSteps;
  const span = Math.max(1, totalSteps - warmupSteps);
  const progress = Math.min(1, (step + 1 - warmupSteps) / span);
  return min + (peak - min) * 0.5 * (1 + Math.cos(Math.PI * progress));
}
