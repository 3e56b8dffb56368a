// Where metrics go beside metrics.jsonl. What another tool shows; the run folder does not depend on it.

/** As a recipe names them: event files for TensorBoard, an offline folder for `wandb sync`. */
export const SINK_NAMES = ['tensorboard', 'wandb'] as const;
export type SinkName = (typeof SINK_NAMES)[number];

export interface MetricSink {
  /** Values of one step, by their names. */
  log(step: number, values: Readonly<Record<string, number>>): void;
  close(): void;
}
