// The public names of the run folder.
export { formatStepLine, type StepLine } from './console-line.ts';
export { isMetricName, METRICS, type MetricName } from './metric-names.ts';
export * from './protocol.ts';
export { readEvents, readGenerated, readMetrics, readRunInfo } from './read.ts';
export { type OpenRunOptions, Run } from './run.ts';
