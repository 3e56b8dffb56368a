// Checksums of files. Large ones are read in a thread of their own, so that training goes on.

import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { Worker } from 'node:worker_threads';

/** Below this the time is not worth a thread. */
const LARGE_BYTES = 64 * 1024 * 1024;

export interface FileDigest {
  readonly bytes: number;
  readonly sha256: string;
}

/** Size and checksum of each file. */
export async function digestFiles(paths: readonly string[]): Promise<FileDigest[]> {
  const sizes = await Promise.all(paths.map(async (path) => (await stat(path)).size));
  const total = sizes.reduce((sum, size) => sum + size, 0);
  const sums = total < LARGE_BYTES ? await hashAll(paths) : await hashInThread(paths);
  return sizes.map((bytes, i) => ({ bytes, sha256: sums[i] ?? '' }));
}

/** The checksums of files, one after the other. */
export async function hashAll(paths: readonly string[]): Promise<string[]> {
  const sums: string[] = [];
  for (const path of paths) {
    const hash = createHash('sha256');
    for await (const chunk of createReadStream(path, { highWaterMark: 4 * 1024 * 1024 })) {
      hash.update(chunk as Buffer);
    }
    sums.push(hash.digest('hex'));
  }
  return sums;
}

function hashInThread(paths: readonly string[]): Promise<string[]> {
  const worker = new Worker(new URL('./digest-worker.ts', import.meta.url), { workerData: paths });
  return new Promise((resolve, reject) => {
    worker.once('message', resolve);
    worker.once('error', reject);
    worker.once('exit', (code) => reject(new Error(`the checksum thread ended with code ${code}`)));
  });
}
