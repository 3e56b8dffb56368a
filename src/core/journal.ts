// What is finished: an append-only list of completion markers that survives kill -9.
// Not a database: all keys are held in memory.

import * as z from 'zod';
import { OneVisionError } from './errors.ts';
import { openJsonl, readJsonlSync } from './jsonl.ts';

/** Completion markers of one stage. A key is done for ever once `done` has returned. */
export interface Journal {
  readonly size: number;
  has(key: string): boolean;
  /** The value that was given to `done`, or undefined. */
  get(key: string): unknown;
  /** Record that the piece is finished; on the disk (fsync) when it returns. */
  done(key: string, value?: unknown): void;
  close(): void;
  [Symbol.dispose](): void;
}

const rowSchema = z.object({ key: z.string(), value: z.unknown().optional() });

/**
 * Open (or create) a journal. Call `done` only after the piece itself is on the disk.
 * @throws OneVisionError 'data' for a damaged row, 'disk' when it cannot be written.
 */
export function openJournal(file: string): Journal {
  const entries = new Map<string, unknown>();
  for (const row of readJsonlSync(file)) {
    const parsed = rowSchema.safeParse(row);
    if (!parsed.success) {
      throw new OneVisionError(
        'data',
        `expected rows {key, value} in the journal ${file}, came ${JSON.stringify(row)}`,
        { hint: 'remove the output folder of this stage and run it again' },
      );
    }
    entries.set(parsed.data.key, parsed.data.value);
  }
  const writer = openJsonl(file);
  return {
    get size() {
      return entries.size;
    },
    has: (key) => entries.has(key),
    get: (key) => entries.get(key),
    done: (key, value) => {
      writer.append(value === undefined ? { key } : { key, value });
      writer.sync();
      entries.set(key, value);
    },
    close: writer.close,
    [Symbol.dispose]: writer.close,
  };
}
