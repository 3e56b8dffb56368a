// How far a long job is: a redrawn line on a terminal, a plain line every few seconds elsewhere.

import { type Terminal, terminal } from './terminal.ts';

export interface Progress {
  /** Set how much is done; the note replaces the last one. */
  update(done: number, note?: string): void;
  /** Add to what is done (default 1). */
  increment(by?: number, note?: string): void;
  /** Remove the live line; prints a last plain line where there is no terminal. */
  finish(): void;
  [Symbol.dispose](): void;
}

export interface ProgressOptions {
  readonly label: string;
  /** How much there is, where that is known. */
  readonly total?: number | undefined;
  /** What is counted: 'images', 'samples', 'MB', … */
  readonly unit?: string;
  readonly terminal?: Terminal;
  /** Milliseconds between redraws; default 100 on a terminal, 5000 elsewhere. */
  readonly everyMs?: number;
  /** The clock, in milliseconds. */
  readonly now?: () => number;
}

/** Start to show a job's progress. Cheap to update: it draws only when the interval is over. */
export function createProgress(options: ProgressOptions): Progress {
  const out = options.terminal ?? terminal;
  const now = options.now ?? (() => performance.now());
  const everyMs = options.everyMs ?? (out.isTty ? 100 : 5000);
  const startMs = now();
  let done = 0;
  let note = '';
  let drawnMs = out.isTty ? Number.NEGATIVE_INFINITY : startMs;
  let drawnDone = -1;
  let finished = false;
  const draw = (): void => {
    const text = progressLine(options, done, (now() - startMs) / 1000, note);
    if (out.isTty) out.live(text);
    else out.line(text);
    drawnMs = now();
    drawnDone = done;
  };
  const update = (value: number, newNote?: string): void => {
    if (finished) return;
    done = value;
    if (newNote !== undefined) note = newNote;
    if (now() - drawnMs >= everyMs) draw();
  };
  const finish = (): void => {
    if (finished) return;
    if (out.isTty) out.live('');
    else if (drawnDone !== done) draw();
    finished = true;
  };
  return {
    update,
    increment: (by = 1, newNote) => update(done + by, newNote),
    finish,
    [Symbol.dispose]: finish,
  };
}

/** One line of progress: `render  1200/4955 images  24 %  210/s  17 s left`. */
export function progressLine(
  options: Pick<ProgressOptions, 'label' | 'total' | 'unit'>,
  done: number,
  seconds: number,
  note = '',
): string {
  const { label, total, unit } = options;
  const rate = seconds > 0 ? done / seconds : 0;
  const counted = total === undefined ? `${done}` : `${done}/${total}`;
  const parts = [label, unit === undefined ? counted : `${counted} ${unit}`];
  if (total !== undefined && total > 0) parts.push(`${Math.floor((100 * done) / total)} %`);
  if (rate > 0) parts.push(`${rate >= 10 ? Math.round(rate) : rate.toPrecision(2)}/s`);
  if (total !== undefined && rate > 0 && done < total) {
    parts.push(`${formatDuration((total - done) / rate)} left`);
  }
  if (note !== '') parts.push(note);
  return parts.join('  ');
}

/** Seconds as people say them: `8 s`, `3 m 20 s`, `2 h 05 m`. */
export function formatDuration(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  if (whole < 60) return `${whole} s`;
  const two = (n: number): string => String(n).padStart(2, '0');
  if (whole < 3600) return `${Math.floor(whole / 60)} m ${two(whole % 60)} s`;
  return `${Math.floor(whole / 3600)} h ${two(Math.floor((whole % 3600) / 60))} m`;
}
