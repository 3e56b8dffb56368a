// The run folder: where its files lie and the shape of what is in them. Types and paths only;
// run.ts writes, read.ts reads.

import { join } from 'node:path';
import type { MetricName } from './metric-names.ts';

/** Version of the folder's layout, as written in run.json. */
export const RUN_FORMAT = 'onevision-run/1';

export type RunStatus = 'running' | 'done' | 'failed' | 'interrupted';

/** run.json: what is running and how it stands. */
export interface RunInfo {
  readonly format: typeof RUN_FORMAT;
  readonly name: string;
  readonly status: RunStatus;
  /** ISO 8601, UTC. */
  readonly createdAt: string;
  readonly updatedAt: string;
  /** Anything worth knowing later: versions, device, threads, parameters, the command. */
  readonly about: Readonly<Record<string, string | number | boolean>>;
}

/** One line of metrics.jsonl; flat, so that any table tool reads it. */
export type MetricRow = {
  /** Counts on over the stages of a run. */
  readonly step: number;
  readonly stage: string;
  /** Unix time, seconds. */
  readonly time: number;
} & { readonly [name in MetricName]?: number };

/** One line of events.jsonl: something that happened once. */
export interface EventRow {
  readonly time: number;
  readonly type:
    | 'start'
    | 'resume'
    | 'stage-start'
    | 'stage-end'
    | 'checkpoint'
    | 'skip'
    | 'warning'
    | 'error'
    | 'interrupted'
    | 'done';
  readonly step?: number;
  readonly stage?: string;
  readonly message?: string;
}

/** One line of samples/step-000200.jsonl: what the model says at that step. */
export interface GeneratedRow {
  readonly uid: string;
  readonly prompt: string;
  readonly completion: string;
  readonly reference?: string;
}

export interface RunPaths {
  readonly run: string;
  readonly recipe: string;
  readonly metrics: string;
  readonly events: string;
  readonly samples: string;
  readonly packs: string;
  readonly checkpoints: string;
  readonly eval: string;
}

/** Where everything of a run lies. */
export function runPaths(dir: string): RunPaths {
  return {
    run: join(dir, 'run.json'),
    recipe: join(dir, 'recipe.json'),
    metrics: join(dir, 'metrics.jsonl'),
    events: join(dir, 'events.jsonl'),
    samples: join(dir, 'samples'),
    packs: join(dir, 'packs'),
    checkpoints: join(dir, 'checkpoints'),
    eval: join(dir, 'eval'),
  };
}

/** `step-000200`: the name of a step's checkpoint folder and sample file. */
export function stepName(step: number): string {
  return `step-${String(step).padStart(6, '0')}`;
}
