// The numbers of the LLaVA-OneVision-1.5 paper's table, in per cent, with the denominators that can
// give them. Data only; ours stand beside them in the report.
import type { Suite } from './benchmark.ts';

export const PUBLISHED_MODELS = [
  'LLaVA-OneVision-1.5-8B',
  'Qwen2.5-VL-7B',
  'LLaVA-OneVision-1.5-4B',
  'Qwen2.5-VL-3B',
  'LLaVA-OneVision-7B',
] as const;
export type PublishedModel = (typeof PUBLISHED_MODELS)[number];

/** One row of the table. */
export interface PublishedRow {
  /** Name of the benchmark here. */
  readonly benchmark: string;
  readonly suite: Suite;
  /**
   * Steps between 0 and 100 %: items, circular groups, or half points (WeMath, 525 problems);
   * MathVista pools three wordings of 1,000 questions. Undefined for means of means and ANLS.
   */
  readonly denominator: number | undefined;
  /** In the order of {@link PUBLISHED_MODELS}. */
  readonly values: readonly number[];
}

const TABLE: readonly (readonly [string, Suite, number | undefined, readonly number[]])[] = [
  ['mmstar', 'general', undefined, [67.7, 62.5, 64.9, 55.9, 61.7]],
  ['mmbench-en', 'general', 1784, [84.1, 83.4, 84.2, 78, 82.5]],
  ['mmbench-cn', 'general', 1784, [81, 81.6, 76.9, 74.6, 81.4]],
  ['mme-realworld-en', 'general', 23609, [62.3, 57.3, 61.6, 51.6, 57.4]],
  ['mme-realworld-cn', 'general', 5917, [56.1, 51.5, 49.6, 45.4, 54]],
  ['seed-image', 'general', 14232, [77.3, 77.5, 76.6, 74.8, 75.4]],
  ['cv-bench', 'general', 2638, [80.8, 80, 77.2, 71.5, 77.9]],
  ['science-qa', 'general', 4241, [95, 88.8, 93.6, 83.3, 90]],
  ['seed-2-plus', 'general', 2277, [69.2, 70.9, 68.9, 68.6, 64.9]],
  ['real-world-qa', 'general', 765, [68.1, 68.5, 67.8, 60, 66.3]],
  ['math-vista', 'reasoning', 3000, [69.6, 68.6, 67.9, 60.2, 58.5]],
  ['we-math', 'reasoning', 1050, [33.6, 33.3, 24.9, 18.4, 20.9]],
  ['math-vision', 'reasoning', 3040, [25.6, 22.4, 24.2, 21.3, 18.5]],
  ['mmmu', 'reasoning', 900, [55.4, 51.3, 52.7, 46.4, 48.8]],
  ['mmmu-pro-standard', 'reasoning', 1730, [37.4, 36.3, 35.3, 31.1, 28]],
  ['mmmu-pro-vision', 'reasoning', 1730, [25.2, 32.8, 25.4, 21.3, 14.3]],
  ['chart-qa', 'ocr-chart', 2500, [86.5, 84.1, 87.1, 83.4, 80]],
  ['charxiv-dq', 'ocr-chart', 1000, [74.1, 69.8, 63.8, 58.2, 47.6]],
  ['doc-vqa', 'ocr-chart', undefined, [95, 94.9, 94.4, 92.7, 87.2]],
  ['ocr-bench', 'ocr-chart', 1000, [82.9, 84.2, 80, 79.2, 62.1]],
  ['ai2d', 'ocr-chart', 3088, [84.2, 82.6, 83.6, 78.6, 81.4]],
  ['ai2d-no-mask', 'ocr-chart', 3088, [94.1, 93.4, 93.3, 90.7, 90.8]],
  ['info-vqa', 'ocr-chart', undefined, [78.4, 81.7, 76.1, 75.6, 68.8]],
  ['pixmo-count', 'other', 529, [62.2, 63.3, 52.2, 50.9, 49.3]],
  ['count-bench', 'other', 491, [88.2, 86.4, 79.8, 72.5, 78.4]],
  ['vl-reward-bench', 'other', undefined, [46.7, 49.7, 48.2, 42.1, 44.5]],
  ['v-star', 'other', 191, [78, 77, 74.9, 69.6, 72.3]],
];

export const PUBLISHED: readonly PublishedRow[] = TABLE.map(
  ([benchmark, suite, denominator, values]) => ({ benchmark, suite, denominator, values }),
);

/** The averages as they are printed, by group. */
export const PUBLISHED_AVERAGES: Readonly<Record<Suite, readonly number[]>> = {
  general: [74.2, 72.2, 72.1, 66.4, 71.1],
  reasoning: [41.1, 40.8, 38.4, 33.1, 31.5],
  'ocr-chart': [85, 84.4, 82.6, 79.8, 74],
  other: [68.8, 69.1, 63.8, 58.8, 61.1],
};

/** The published number of a benchmark, in per cent. */
export function publishedValue(benchmark: string, model: PublishedModel): number | undefined {
  const row = PUBLISHED.find((one) => one.benchmark === benchmark);
  return row?.values[PUBLISHED_MODELS.indexOf(model)];
}

/** The mean of a group's rows, each row counting once. */
export function publishedAverage(suite: Suite, model: PublishedModel): number {
  const place = PUBLISHED_MODELS.indexOf(model);
  const values = PUBLISHED.filter((row) => row.suite === suite).map(({ values }) => values[place]);
  return values.reduce<number>((sum, value) => sum + (value ?? 0), 0) / values.length;
}

/**
 * True if some whole number of right answers out of `denominator` is printed as this percentage with
 * `decimals` places. A number that no count can give was measured on something else.
 */
export function isPossible(percentage: number, denominator: number, decimals: number): boolean {
  const slack = 0.5 * 10 ** -decimals + 1e-9;
  const right = Math.round((percentage / 100) * denominator);
  return [right - 1, right, right + 1].some(
    (count) => Math.abs((100 * count) / denominator - percentage) <= slack,
  );
}
