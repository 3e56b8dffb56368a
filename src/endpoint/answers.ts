// Answers that were paid for, by the content of the request, in SQLite: no request is sent twice,
// in this run, in the next, or by two processes that share the file one after the other.
import { DatabaseSync } from 'node:sqlite';
import * as z from 'zod';
import { OneVisionError } from '../core/errors.ts';
import { sha256Hex } from '../core/hash.ts';

/** A whole answer of an endpoint. */
export interface Answer {
  readonly text: string;
  /** Why it ended: 'stop', 'length', … */
  readonly finish: string;
  readonly promptTokens: number;
  readonly completionTokens: number;
}

export interface AnswerCache {
  get(key: string): Answer | undefined;
  /** On the disk when it returns. */
  put(key: string, answer: Answer): void;
  readonly size: number;
  close(): void;
  [Symbol.dispose](): void;
}

const rowSchema: z.ZodType<Answer> = z.object({
  text: z.string(),
  finish: z.string(),
  promptTokens: z.number(),
  completionTokens: z.number(),
});

/** The key of a request: a hash of everything that is sent. */
export function requestKey(...parts: readonly (string | number)[]): string {
  return sha256Hex(JSON.stringify(parts));
}

/** Open or create a cache. @throws OneVisionError 'data' when the file is something else. */
export function openCache(path: string): AnswerCache {
  const database = open(path);
  const select = database.prepare(
    'SELECT text, finish, prompt_tokens AS promptTokens, completion_tokens AS completionTokens ' +
      'FROM answers WHERE key = ?',
  );
  const insert = database.prepare('INSERT OR IGNORE INTO answers VALUES (?, ?, ?, ?, ?)');
  const count = database.prepare('SELECT count(*) AS n FROM answers');
  let isOpen = true;
  const close = (): void => {
    if (isOpen) database.close();
    isOpen = false;
  };
  return {
    get: (key) => {
      const row = select.get(key);
      return row === undefined ? undefined : rowSchema.parse(row);
    },
    put: (key, { text, finish, promptTokens, completionTokens }) => {
      insert.run(key, text, finish, promptTokens, completionTokens);
    },
    get size() {
      return Number(count.get()?.['n'] ?? 0);
    },
    close,
    [Symbol.dispose]: close,
  };
}

function open(path: string): DatabaseSync {
  try {
    const database = new DatabaseSync(path);
    database.exec(
      'PRAGMA busy_timeout = 10000;' +
        'CREATE TABLE IF NOT EXISTS answers (key TEXT PRIMARY KEY, text TEXT NOT NULL, ' +
        'finish TEXT NOT NULL, prompt_tokens INTEGER NOT NULL, completion_tokens INTEGER NOT NULL)',
    );
    return database;
  } catch (cause) {
    throw new OneVisionError('data', `Expected a cache of answers at ${path}; it does not open.`, {
      hint: 'give another --cache file',
      cause,
    });
  }
}
