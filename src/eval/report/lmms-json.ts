// Results in the form that lmms-eval writes, for tools that read its logs: task names, the metric of
// each task, sample counts. What lmms-eval has no place for stands under `onevision`.
import type { ItemResult, Summary } from '../outcome.ts';
import { isUnscored } from './paper-table.ts';

/** Our name → task and metric of lmms-eval. */
const TASKS: Readonly<Record<string, readonly [task: string, metric: string]>> = {
  mmstar: ['mmstar', 'average'],
  'mmbench-en': ['mmbench_en_test', 'submission'],
  'mmbench-cn': ['mmbench_cn_test', 'submission'],
  'mmbench-en-dev': ['mmbench_en_dev', 'gpt_eval_score'],
  'mmbench-cn-dev': ['mmbench_cn_dev', 'gpt_eval_score'],
  'mme-realworld-en': ['mmerealworld', 'mme_realworld_score'],
  'mme-realworld-cn': ['mmerealworld_cn', 'mme_realworld_score'],
  'seed-image': ['seedbench', 'seed_image'],
  'cv-bench': ['cv_bench', 'cv_bench_acc'],
  'science-qa': ['scienceqa_full', 'exact_match'],
  'seed-2-plus': ['seedbench_2_plus', 'seedbench_2_plus_all'],
  'real-world-qa': ['realworldqa', 'exact_match'],
  'math-vista': ['mathvista_testmini', 'llm_as_judge_eval'],
  'we-math': ['wemath_testmini_reasoning', 'wemath_acc'],
  'math-vision': ['mathvision_test', 'mathvision_standard_eval'],
  mmmu: ['mmmu_val', 'mmmu_acc'],
  'mmmu-pro-standard': ['mmmu_pro_standard', 'mmmu_acc'],
  'mmmu-pro-vision': ['mmmu_pro_vision', 'mmmu_acc'],
  'chart-qa': ['chartqa', 'relaxed_overall'],
  'charxiv-dq': ['charxiv_val_descriptive', 'descriptive_acc'],
  'doc-vqa': ['docvqa_test', 'submission'],
  'doc-vqa-val': ['docvqa_val', 'anls'],
  'info-vqa': ['infovqa_test', 'submission'],
  'info-vqa-val': ['infovqa_val', 'anls'],
  'ocr-bench': ['ocrbench', 'ocrbench_accuracy'],
  ai2d: ['ai2d', 'exact_match'],
  'ai2d-no-mask': ['ai2d_no_mask', 'exact_match'],
  'pixmo-count': ['pixmo_count', 'exact_match'],
  'count-bench': ['countbench', 'exact_match'],
  'vl-reward-bench': ['vl_rewardbench', 'macro_accuracy'],
  'v-star': ['vstar_bench', 'vstar_overall_acc'],
};

export function lmmsTask(benchmark: string): string {
  return TASKS[benchmark]?.[0] ?? benchmark;
}

/** The object of `*_results.json`. */
export function lmmsResults(model: string, summaries: readonly Summary[]): object {
  const results: Record<string, Record<string, unknown>> = {};
  const counts: Record<string, { original: number; effective: number }> = {};
  const versions: Record<string, number> = {};
  for (const summary of summaries) {
    const { benchmark, accuracy, interval, items, replies } = summary;
    const [task, metric] = TASKS[benchmark] ?? [benchmark, 'acc'];
    const score = isUnscored(summary) ? null : accuracy;
    results[task] = {
      alias: task,
      [`${metric},none`]: score,
      [`${metric}_stderr,none`]: (interval.high - interval.low) / (2 * 1.96),
    };
    counts[task] = { original: replies?.counts.expected ?? items, effective: items };
    versions[task] = replies?.scoringVersion ?? 0;
  }
  return {
    results,
    configs: {},
    versions,
    'n-samples': counts,
    config: { model: 'onevision', model_args: model },
    onevision: Object.fromEntries(summaries.map((one) => [lmmsTask(one.benchmark), one])),
  };
}

/** A line of `*_samples_<task>.jsonl`. */
export function lmmsSample(row: ItemResult, index: number): object {
  return {
    doc_id: index,
    doc_hash: row.reply?.request ?? row.uid,
    input: row.question,
    target: row.answer,
    resps: [[row.prediction]],
    filtered_resps: [row.parsed ?? row.prediction],
    score: row.score ?? (row.outcome === 'correct' ? 1 : 0),
    outcome: row.outcome,
    uid: row.uid,
  };
}
