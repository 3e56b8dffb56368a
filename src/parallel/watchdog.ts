// Says of a collective that failed or hung which rank is to blame: every rank notes what it began last,
// and who is behind has not begun what the others wait for. A rank whose machine or link is gone gives no
// sign of life, which native/progress.cc notices long before the time-out.

import { OneVisionError } from '../core/errors.ts';
import { native } from '../tensor/native.ts';
import type { ProcessGroup } from './process-group.ts';

/** What a rank began last. */
export interface Progress {
  /** Counts the collectives of its group. */
  readonly sequence: number;
  /** Those begun in every group, by name. */
  readonly begun: Readonly<Record<string, number>>;
  readonly kind: string;
  readonly label: string;
  readonly group: string;
}

/** A store that is cut off does not answer at all. */
const STORE_WAIT_MS = 3000;

/** The error of a collective that did not end, naming the ranks that are behind. */
export function collectiveError(group: ProcessGroup, at: Progress, cause: unknown): OneVisionError {
  const reason = reasonOf(cause);
  const notes = native().readProgress(STORE_WAIT_MS);
  const others = notes === null ? 'rank 0, which keeps the notes of all, does not answer' : '';
  const behind = notes === null ? [] : whoIsBehind(group, at, notes);
  const blamed = behind.length > 0 ? behind.join('; ') : 'all ranks have begun it';
  return new OneVisionError(
    'parallel',
    `rank ${group.worldRank}: expected ${name(at)} to end within ${group.timeoutMs / 1000} s, ` +
      `came: ${reason}; ${others === '' ? blamed : others}`,
    { hint: 'look at the end of that rank’s log; the run goes on from its last checkpoint', cause },
  );
}

function reasonOf(cause: unknown): string {
  const lost = native().lostRank();
  if (lost !== null) return `no sign of life of rank ${lost} any more`;
  return cause instanceof Error ? firstLine(cause.message) : String(cause);
}

function whoIsBehind(group: ProcessGroup, at: Progress, notes: readonly string[]): string[] {
  return group.members.flatMap((rank) => {
    const note = notes[rank] ?? '';
    if (rank === group.worldRank) return [];
    if (note === '') return [`rank ${rank} has begun none`];
    const last = JSON.parse(note) as Progress;
    if ((last.begun[at.group] ?? 0) >= at.sequence) return [];
    return [`rank ${rank} has not begun it, its last is ${name(last)}`];
  });
}

function name({ sequence, kind, label, group }: Progress): string {
  const where = group === 'world' ? '' : ` of ${group}`;
  return `${kind} ${sequence}${where} (${label})`;
}

function firstLine(text: string): string {
  return text.split('\n')[0]?.replace(/\. (It was called with|This is typically) .*$/, '') ?? '';
}
