// Writing a run folder: status, recipe, metrics, events, generated samples. Knows nothing of
// training; the folder is the only thing trainer, evaluation, server and dashboard share.

import { existsSync } from 'node:fs';
import { basename, join } from 'node:path';
import { OneVisionError } from '../core/errors.ts';
import { ensureFolder, writeFileAtomic } from '../core/files.ts';
import { type JsonlWriter, openJsonl } from '../core/jsonl.ts';
import { isMetricName, type MetricName } from './metric-names.ts';
import {
  type EventRow,
  type GeneratedRow,
  RUN_FORMAT,
  type RunInfo,
  type RunPaths,
  type RunStatus,
  runPaths,
  stepName,
} from './protocol.ts';
import { readRunInfo } from './read.ts';
import type { MetricSink } from './sinks/sink.ts';

export interface OpenRunOptions {
  /** Versions, device, threads, parameters, the command: shown beside the run. */
  readonly about?: RunInfo['about'];
  /** The full recipe; written once as recipe.json. */
  readonly recipe?: unknown;
  /** Where metrics go beside metrics.jsonl; the run closes them. */
  readonly sinks?: readonly MetricSink[];
}

/** An open run folder. Lines are appended whole and at once, so a kill tears at most the last one. */
export class Run {
  readonly dir: string;
  readonly paths: RunPaths;
  readonly #metrics: JsonlWriter;
  readonly #events: JsonlWriter;
  readonly #sinks: readonly MetricSink[];
  #info: RunInfo;

  private constructor(dir: string, info: RunInfo, sinks: readonly MetricSink[]) {
    this.#sinks = sinks;
    this.dir = dir;
    this.paths = runPaths(dir);
    this.#metrics = openJsonl(this.paths.metrics);
    this.#events = openJsonl(this.paths.events);
    this.#info = info;
  }

  /** Creates the run folder, or opens one that is there and marks it running again. */
  static async open(dir: string, options: OpenRunOptions = {}): Promise<Run> {
    const paths = runPaths(dir);
    const there = existsSync(paths.run);
    for (const folder of [dir, paths.samples, paths.packs, paths.checkpoints, paths.eval]) {
      ensureFolder(folder);
    }
    const now = new Date().toISOString();
    const before = there ? readRunInfo(dir) : undefined;
    const info: RunInfo = {
      format: RUN_FORMAT,
      name: before?.name ?? basename(dir),
      status: 'running',
      createdAt: before?.createdAt ?? now,
      updatedAt: now,
      about: { ...before?.about, ...options.about },
    };
    const run = new Run(dir, info, options.sinks ?? []);
    if (options.recipe !== undefined) {
      await writeFileAtomic(run.paths.recipe, `${JSON.stringify(options.recipe, null, 2)}\n`);
    }
    await run.setStatus('running');
    return run;
  }

  get info(): RunInfo {
    return this.#info;
  }

  /** Rewrites run.json with a new status and, if given, more about the run. */
  async setStatus(status: RunStatus, about: RunInfo['about'] = {}): Promise<void> {
    this.#info = {
      ...this.#info,
      status,
      updatedAt: new Date().toISOString(),
      about: { ...this.#info.about, ...about },
    };
    await writeFileAtomic(this.paths.run, `${JSON.stringify(this.#info, null, 2)}\n`);
  }

  /**
   * Appends one line of metrics. Values that are not finite are left out.
   * @throws OneVisionError 'usage' for a name that is not in the list of metrics.
   */
  logMetrics(
    step: number,
    stage: string,
    metrics: Readonly<{ [name in MetricName]?: number }>,
  ): void {
    for (const name of Object.keys(metrics)) {
      if (isMetricName(name)) continue;
      throw new OneVisionError('usage', `expected a metric name of the list, came "${name}"`, {
        hint: 'docs/metrics.md lists them; a new one is added in src/track/metric-names.ts.',
      });
    }
    const kept = Object.entries(metrics).filter((entry): entry is [string, number] =>
      Number.isFinite(entry[1]),
    );
    this.#metrics.append({ step, stage, time: now(), ...Object.fromEntries(kept) });
    for (const sink of this.#sinks) sink.log(step, Object.fromEntries(kept));
  }

  /** Marks that the run goes on from `step`: what was logged after it no longer counts. */
  logResume(step: number, stage: string): void {
    this.#metrics.append({ step, stage, time: now(), resumed: true });
    this.logEvent('resume', { step, stage });
  }

  /** Appends one line of events. */
  logEvent(type: EventRow['type'], details: Omit<EventRow, 'time' | 'type'> = {}): void {
    this.#events.append({ time: now(), type, ...details });
  }

  /** Writes what the model said at a step; replaces what was there. */
  async writeGenerated(step: number, rows: readonly GeneratedRow[]): Promise<void> {
    const text = rows.map((row) => `${JSON.stringify(row)}\n`).join('');
    await writeFileAtomic(join(this.paths.samples, `${stepName(step)}.jsonl`), text);
  }

  /** Closes the files. The folder itself stays as it is. */
  close(): void {
    this.#metrics.close();
    this.#events.close();
    for (const sink of this.#sinks) sink.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

/** What training needs of a run folder. */
export type RunWriter = Pick<
  Run,
  'dir' | 'paths' | 'setStatus' | 'logMetrics' | 'logResume' | 'logEvent' | 'writeGenerated'
>;

/** A run folder that another process writes: nothing is written here. */
export function silentRun(dir: string): RunWriter {
  return {
    dir,
    paths: runPaths(dir),
    setStatus: async () => undefined,
    logMetrics: () => undefined,
    logResume: () => undefined,
    logEvent: () => undefined,
    writeGenerated: async () => undefined,
  };
}

function now(): number {
  return Date.now() / 1000;
}
