// What other folders use of evaluation.
export type { Benchmark, ChoiceScorer, ChoiceTerm, ExactScorer } from './benchmark.ts';
export { DEMO_BENCHMARKS } from './benchmarks/demo/index.ts';
export { findBenchmarks, PAPER_BENCHMARKS } from './benchmarks/index.ts';
export { readConceptCounts, readItems } from './data/open-items.ts';
export type {
  Decoding,
  EvalModel,
  ModelRequest,
  Reply,
  ReplyScore,
} from './eval-model.ts';
export type { EvalItem } from './items.ts';
export { hashCheckpoint, type LocalModelOptions, localModel } from './local-model.ts';
export { type ModelSpec, openModel } from './models/open-model.ts';
export type { ItemResult, Outcome, Summary } from './outcome.ts';
export { evaluatedItems } from './report/evaluated.ts';
export { type GalleryItem, type GalleryOptions, renderGallery } from './report/gallery.ts';
export { paperTable } from './report/paper-table.ts';
export { type Results, readResults, resultsTable, writeResults } from './report/report.ts';
export { type ReportsOptions, writeReports } from './report/write-reports.ts';
export { type EvaluateOptions, evaluate } from './runner.ts';
export { byMeanLoss, byPmi, byYesNo } from './scorers/choice.ts';
export { PROFILES, type Profile } from './scorers/scorer.ts';
export type { ConceptCounts, FrequencyBand } from './statistics/bands.ts';
