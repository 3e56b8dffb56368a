// The closed list of metric names. A name that is not here cannot be logged.

/** Names that stand for themselves, with their unit or meaning. docs/metrics.md says more. */
export const METRICS = {
  'train/loss': 'mean over the supervised tokens of the global batch',
  'train/lr': 'learning rate of the step',
  'train/grad_norm': 'global gradient norm before clipping',
  'train/grad_norm_vision': 'of the vision tower alone',
  'train/grad_norm_merger': 'of the merger alone',
  'train/grad_norm_language': 'of the decoder alone',
  'train/tokens': 'tokens trained on since the stage began',
  'val/loss': 'mean over the supervised tokens of the validation packs',
  'perf/tokens_per_s': 'tokens a second',
  'perf/images_per_s': 'images a second',
  'perf/step_ms': 'wall time of a step, milliseconds',
  'perf/data_wait_pct': 'share of the step spent waiting for data, percent',
  'perf/forward_ms': 'forward passes of a step, milliseconds',
  'perf/backward_ms': 'backward passes of a step, milliseconds',
  'perf/optimizer_ms': 'clipping and update of a step, milliseconds',
  'perf/communication_ms': 'from the own backward to the gradients of all ranks, milliseconds',
  'perf/balance': 'mean over largest of the ranks’ forward and backward times, 0 … 1',
  'perf/balance_planned': 'the same of what the plan says their packs cost',
  'perf/tflops': 'model FLOPs a second, 10¹²',
  'perf/mfu': 'model FLOPs over peak FLOPs, 0 … 1',
  'perf/hfu': 'FLOPs with what is computed again over peak FLOPs, 0 … 1',
  'mem/peak_gib':
    'peak memory: of the device where it has its own, else resident of the process, GiB',
  'data/pack_fill': 'tokens in packs over capacity, 0 … 1',
  'data/num_skipped': 'samples skipped since the stage began',
  'rl/reward': 'mean reward',
  'rl/reward_std': 'standard deviation of the reward',
  'rl/kl': 'KL divergence from the reference policy',
  'rl/entropy': 'mean token entropy of the policy',
  'rl/clip_ratio': 'share of tokens clipped',
  'rl/completion_len': 'mean completion length, tokens',
  'rl/frac_zero_std': 'share of groups whose rewards are all equal',
} as const;

/** A name of the list, or one of the three families that end in a source or a benchmark. */
export type MetricName =
  | keyof typeof METRICS
  | `train/loss_${string}`
  | `data/mix_${string}`
  | `eval/${string}`;

const FAMILIES: readonly RegExp[] = [/^train\/loss_.+$/, /^data\/mix_.+$/, /^eval\/.+$/];

/** Whether a string is a metric name. */
export function isMetricName(name: string): name is MetricName {
  return Object.hasOwn(METRICS, name) || FAMILIES.some((family) => family.test(name));
}
