// Prints what a recipe costs, and the original's run priced from its own statements.
import type { OriginalCheck } from '../../train/price/original.ts';
import type { RecipePlan, StageMemory } from './plan-recipe.ts';

type Row = readonly string[];

/** The first column to the left, the others to the right. */
function table(rows: readonly Row[]): string {
  const widths = rows[0]?.map((_, i) => Math.max(...rows.map((row) => row[i]?.length ?? 0))) ?? [];
  return rows
    .map((row) =>
      row
        .map((cell, i) => (i === 0 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0)))
        .join('  '),
    )
    .join('\n');
}

/** Assumptions, a row for each stage, the sum, and other GPUs. */
export function formatPlan(plan: RecipePlan): string {
  const { cluster, stages, total } = plan;
  const head: Row = [
    'stage',
    'steps',
    'packs',
    'tokens',
    'EFLOP',
    'HFU/MFU',
    'hours',
    'GPU h',
    '$',
  ];
  const rows = stages.map(
    ({ stage, steps, packs, work, flops, cost }): Row => [
      stage,
      whole(steps),
      whole(packs),
      `${(work.tokens / 1e9).toFixed(2)} G`,
      (flops.model / 1e18).toPrecision(3),
      (flops.hardware / flops.model).toFixed(2),
      cost.hours.toFixed(1),
      whole(cost.gpuHours),
      whole(cost.dollars),
    ],
  );
  const sum: Row = [
    'in all',
    '',
    '',
    '',
    '',
    '',
    total.hours.toFixed(1),
    whole(total.gpuHours),
    whole(total.dollars),
  ];
  const others = plan.alternatives.map(
    ({ gpu, cost }): Row => [
      `${cluster.numGpus} ${gpu.name}`,
      `${gpu.peakFlops / 1e12} TFLOP/s`,
      `$${gpu.pricePerHour.toFixed(2)} an hour`,
      `${(cost.hours / 24).toFixed(1)} days`,
      `$${whole(cost.dollars)}`,
    ],
  );
  return [
    `${plan.name} on ${cluster.numGpus} ${cluster.gpu.name} at $${cluster.pricePerHour} an hour: ` +
      `${(total.hours / 24).toFixed(1)} days, $${whole(total.dollars)}`,
    '',
    table([head, ...rows, sum]),
    '',
    'peak memory of one GPU, GiB, where the GPUs share nothing, optimizer state, or everything:',
    table(plan.stages.map(({ stage, memory }) => memoryRow(plan, stage, memory))),
    '',
    'at the same MFU on others (prices assumed):',
    table(others),
    '',
    ...plan.assumptions.map((line) => `- ${line}`),
  ].join('\n');
}

function memoryRow({ cluster }: RecipePlan, stage: string, memory: StageMemory): Row {
  const { nothingShared, stateShared, allShared } = memory;
  const cells = [nothingShared, stateShared, allShared].map(({ peak }) => {
    const fits = peak < cluster.gpu.memoryBytes ? '' : ' (too much)';
    return `${(peak / 2 ** 30).toFixed(1)}${fits}`;
  });
  return [stage, ...cells];
}

/** What the original says it took, and what follows from its own numbers. */
export function formatOriginal({ rows, compared, assumptions }: OriginalCheck): string {
  const head: Row = ['stage', 'tokens', 'GFLOP a token', 'days', 'GPU h', '$'];
  const body = rows.map(
    ({ what, cost, tokens, flops }): Row => [
      what,
      `${(tokens / 1e9).toFixed(2)} G`,
      (flops / tokens / 1e9).toFixed(1),
      (cost.hours / 24).toFixed(2),
      whole(cost.gpuHours),
      whole(cost.dollars),
    ],
  );
  const check = compared.map(
    ({ what, ours, published, error }): Row => [
      what,
      `computed ${number(ours)}`,
      `published ${number(published)}`,
      `${error > 0 ? '+' : ''}${(100 * error).toFixed(1)} %`,
    ],
  );
  return [
    "LLaVA-OneVision-1.5-8B, priced from its authors' own statements:",
    '',
    table([head, ...body]),
    '',
    table(check),
    '',
    ...assumptions.map((line) => `- ${line}`),
  ].join('\n');
}

function whole(value: number): string {
  return Math.round(value).toLocaleString('en');
}

function number(value: number): string {
  return value < 100 ? value.toFixed(2) : whole(value);
}
