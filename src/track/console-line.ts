// One aligned console line per log step. Formats numbers; prints nothing itself.

import { formatDuration } from '../core/progress.ts';
import type { MetricName } from './metric-names.ts';

export interface StepLine {
  readonly stage: string;
  readonly step: number;
  readonly totalSteps: number;
  readonly metrics: Readonly<{ [name in MetricName]?: number }>;
  /** Seconds left at the present speed. */
  readonly etaS: number;
}

/** `instruct   200/1600  loss 1.8321  |g| 0.84  lr 2.9e-3   9.8k tok/s …`, columns of fixed width. */
export function formatStepLine(line: StepLine): string {
  const { metrics } = line;
  const width = String(line.totalSteps).length;
  const columns = [
    `${line.stage.padEnd(9)} ${String(line.step).padStart(width)}/${line.totalSteps}`,
    `loss ${fixed(metrics['train/loss'], 4).padStart(7)}`,
    `|g| ${fixed(metrics['train/grad_norm'], 2).padStart(6)}`,
    `lr ${exponent(metrics['train/lr']).padStart(7)}`,
    `${compact(metrics['perf/tokens_per_s']).padStart(5)} tok/s`,
    `${compact(metrics['perf/images_per_s']).padStart(5)} img/s`,
    `wait ${fixed(metrics['perf/data_wait_pct'], 1).padStart(4)}%`,
    `mem ${fixed(metrics['mem/peak_gib'], 2)}G`,
    `MFU ${metrics['perf/mfu'] === undefined ? 'n/a' : fixed(metrics['perf/mfu'] * 100, 1)}`,
    `ETA ${formatDuration(line.etaS)}`,
  ];
  return columns.join('  ');
}

function fixed(value: number | undefined, digits: number): string {
  return value === undefined ? 'n/a' : value.toFixed(digits);
}

function exponent(value: number | undefined): string {
  return value === undefined ? 'n/a' : value.toExponential(1).replace('e+', 'e');
}

/** 950, 9.8k, 120k, 1.3M. */
function compact(value: number | undefined): string {
  if (value === undefined) return 'n/a';
  if (value < 1000) return value.toFixed(0);
  const [scaled, unit] = value < 999_500 ? [value / 1000, 'k'] : [value / 1e6, 'M'];
  return `${scaled < 99.95 ? scaled.toFixed(1) : scaled.toFixed(0)}${unit}`;
}
