// Whole files or none: write beside the target, fsync, rename. Not a cache and not a lock.

import { createHash } from 'node:crypto';
import * as fs from 'node:fs';
import { open, rename, rm } from 'node:fs/promises';
import { hostname } from 'node:os';
import * as path from 'node:path';
import * as z from 'zod';
import { create, createDirect } from './direct.ts';
import { type ErrorCode, OneVisionError } from './errors.ts';

/** A file that appears under its name only when `commit` has returned. */
export interface AtomicFile {
  readonly path: string;
  /** Bytes written so far. */
  readonly bytes: number;
  write(chunk: Uint8Array | string): Promise<void>;
  /** Flush to the disk and give the file its name. */
  commit(): Promise<void>;
  /** Throw the bytes away. Safe to call twice, and after `commit` (then it does nothing). */
  abort(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

const HOST = hostname().replace(/[^A-Za-z0-9-]/g, '-') || 'host';
const TEMPORARY = /^\..+\.([A-Za-z0-9-]+)\.(\d+)\.(\d+)\.tmp$/;
const ONE_DAY_MS = 24 * 60 * 60 * 1000;
/** Bytes after which a file goes on its way to the disk, so that `commit` waits for little. */
const EARLY_SYNC_BYTES = 32 * 1024 * 1024;
/** Temporary files that this process has under way. They go when it ends, unless it is killed. */
const ours = new Set<string>();
process.once('exit', () => {
  for (const temporary of ours) fs.rmSync(temporary, { force: true });
});
let counter = 0;

function temporaryName(target: string): string {
  counter += 1;
  const name = `.${path.basename(target)}.${HOST}.${process.pid}.${counter}.tmp`;
  return path.join(path.dirname(target), name);
}

const DISK_HINTS: Readonly<Record<string, string>> = {
  ENOSPC:
    'free some space on that disk (df -h), or write elsewhere, and run the same command again',
  EDQUOT: 'your disk quota is used up: free some space, or write elsewhere, and run again',
  EROFS: 'the disk is read-only: choose another output folder',
  EACCES: 'you may not write there: choose another output folder, or change its owner',
  EPERM: 'you may not write there: choose another output folder, or change its owner',
  ENOTDIR: 'a part of the path is a file: choose another output folder',
  EISDIR: 'a folder has that name: choose another name',
  ENOENT: 'the folder does not exist: create it first',
};

/** Turn a failed write into a named 'disk' error; errors that are named already pass through. */
export function diskError(error: unknown, target: string, bytes?: number): OneVisionError {
  if (error instanceof OneVisionError) return error;
  const code = errorCode(error);
  const size = bytes === undefined ? '' : ` after ${bytes} bytes`;
  const what = code === 'ENOSPC' ? 'no space left on the disk (ENOSPC)' : describe(error);
  const hint = DISK_HINTS[code];
  return new OneVisionError('disk', `expected to write ${target}, but${size} came: ${what}`, {
    cause: error,
    ...(hint === undefined ? {} : { hint }),
  });
}

function errorCode(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : '';
}

function describe(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Make the rename itself last: fsync of the folder. Some file systems refuse it; then so be it. */
async function syncFolder(folder: string): Promise<void> {
  try {
    const handle = await open(folder, 'r');
    try {
      await handle.sync();
    } finally {
      await handle.close();
    }
  } catch {
    // Best effort: the content of the file has been synced already.
  }
}

/**
 * Open a file for streaming that takes its name at `commit`. Its folder must exist.
 * @param options.isDirect past the page cache, as far as the system can; see `createDirect`.
 * @throws OneVisionError 'disk' with the path, the bytes written and a hint.
 */
export async function createFileAtomic(
  target: string,
  { isDirect = false }: { readonly isDirect?: boolean } = {},
): Promise<AtomicFile> {
  const temporary = temporaryName(target);
  ours.add(temporary);
  const handle = await (isDirect ? createDirect : create)(temporary).catch((error: unknown) => {
    ours.delete(temporary);
    throw diskError(error, target);
  });
  let end = 0; // of what was handed over; writes may overlap
  let bytes = 0;
  let syncedBytes = 0;
  let isSyncing = false;
  let early: Promise<unknown> = Promise.resolve();
  let closed = false;
  const syncEarly = (): void => {
    isSyncing = true;
    syncedBytes = bytes;
    early = Promise.all([early, handle.datasync()]).then(() => {
      isSyncing = false;
    });
    early.catch(() => undefined); // `commit` throws it: the disk tells a failure only once
  };
  const abort = async (): Promise<void> => {
    if (closed) return;
    closed = true;
    await handle.close().catch(() => undefined);
    await rm(temporary, { force: true });
    ours.delete(temporary);
  };
  const guard = async (work: () => Promise<void>): Promise<void> => {
    try {
      await work();
    } catch (error) {
      await abort();
      throw diskError(error, target, bytes);
    }
  };
  return {
    path: target,
    get bytes() {
      return bytes;
    },
    write: (chunk) =>
      guard(async () => {
        const data = typeof chunk === 'string' ? Buffer.from(chunk) : chunk;
        const from = end;
        end += data.byteLength;
        for (let offset = 0; offset < data.byteLength; ) {
          const written = await handle.write(data, offset, from + offset);
          offset += written;
          bytes += written;
        }
        if (!isSyncing && bytes - syncedBytes >= EARLY_SYNC_BYTES) syncEarly();
      }),
    commit: () =>
      guard(async () => {
        await early;
        await handle.sync();
        await rename(temporary, target);
        closed = true;
        ours.delete(temporary);
        await handle.close();
        await syncFolder(path.dirname(target));
      }),
    abort,
    [Symbol.asyncDispose]: abort,
  };
}

/**
 * Write a whole file at once: afterwards it holds either all of `data` or what it held before.
 * @throws OneVisionError 'disk' with the path, the bytes written and a hint.
 */
export async function writeFileAtomic(target: string, data: Uint8Array | string): Promise<void> {
  const file = await createFileAtomic(target);
  await file.write(data);
  await file.commit();
}

/** SHA-256 of a whole file, read in blocks, as 64 hexadecimal digits. */
export async function sha256File(path: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of fs.createReadStream(path, { highWaterMark: 4 * 1024 * 1024 })) {
    hash.update(chunk as Buffer);
  }
  return hash.digest('hex');
}

/**
 * Let another writer (a database, a child process) fill a file that takes its name when it is whole.
 * @param write gets the temporary path to write to
 */
export async function fillFileAtomic(
  target: string,
  write: (temporary: string) => Promise<void>,
): Promise<void> {
  const temporary = temporaryName(target);
  ours.add(temporary);
  try {
    await write(temporary);
    const handle = await open(temporary, 'r');
    await handle.sync().finally(() => handle.close());
    await rename(temporary, target);
    await syncFolder(path.dirname(target));
  } catch (error) {
    await rm(temporary, { force: true });
    throw diskError(error, target);
  } finally {
    ours.delete(temporary);
  }
}

/** Create a folder and its parents. @throws OneVisionError 'disk'. */
export function ensureFolder(folder: string): void {
  try {
    fs.mkdirSync(folder, { recursive: true });
  } catch (error) {
    throw diskError(error, folder);
  }
}

/** Remove what lies in a folder under a name that fits and is not among those that stay. */
export function removeOthers(folder: string, fits: RegExp, stay: ReadonlySet<string>): void {
  for (const name of fs.readdirSync(folder)) {
    if (fits.test(name) && !stay.has(name)) fs.rmSync(path.join(folder, name), { recursive: true });
  }
}

/**
 * Remove the temporary files that killed writers left in a folder. Those of a living process of
 * this machine stay; those of another machine stay for a day.
 * @returns how many were removed.
 */
export function sweepTemporary(folder: string): number {
  let removed = 0;
  if (!fs.existsSync(folder)) return removed;
  for (const name of fs.readdirSync(folder)) {
    const match = TEMPORARY.exec(name);
    const file = path.join(folder, name);
    if (match === null || isInUse(file, match[1] ?? '', Number(match[2]))) continue;
    fs.rmSync(file, { force: true });
    removed += 1;
  }
  return removed;
}

function isInUse(file: string, host: string, pid: number): boolean {
  if (host !== HOST) {
    const stat = fs.statSync(file, { throwIfNoEntry: false });
    return stat !== undefined && Date.now() - stat.mtimeMs < ONE_DAY_MS;
  }
  return pid === process.pid ? ours.has(file) : isAlive(pid);
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    return errorCode(error) === 'EPERM';
  }
  return !isZombie(pid);
}

/** Ended, and not yet asked for by its parent: it still has its number. Known on Linux alone. */
function isZombie(pid: number): boolean {
  try {
    const stat = fs.readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat.charAt(stat.lastIndexOf(')') + 2) === 'Z';
  } catch {
    return false;
  }
}

/**
 * Read a JSON file and check it against a zod schema.
 * @throws OneVisionError `code` (default 'data') naming the file and what is wrong in it.
 */
export function readJson<T>(file: string, schema: z.ZodType<T>, code: ErrorCode = 'data'): T {
  let text: string;
  try {
    text = fs.readFileSync(file, 'utf8');
  } catch (error) {
    throw new OneVisionError(code, `expected a JSON file at ${file}, came: ${describe(error)}`, {
      cause: error,
      hint: 'check the path; if an earlier stage should have written it, run that stage first',
    });
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new OneVisionError(code, `expected JSON in ${file}, came: ${describe(error)}`, {
      cause: error,
      hint: 'the file is damaged: remove it and run the stage that writes it again',
    });
  }
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw new OneVisionError(
    code,
    `expected another shape of JSON in ${file}:\n${z.prettifyError(parsed.error)}`,
    { hint: 'correct the fields named above, or write the file anew with this version' },
  );
}
