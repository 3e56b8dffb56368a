// Ranks on this machine: in this process, or in child processes with a log each.
import { fork } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ensureFolder } from '../core/files.ts';
import type { Logger } from '../core/log.ts';
import { runRank } from './run-task.ts';
import { logFile, logFolder } from './task.ts';

const MAIN = fileURLToPath(new URL('./main.ts', import.meta.url));
/** Where Node keeps our modules compiled: a process then starts in half the time. */
const COMPILE_CACHE = process.env['NODE_COMPILE_CACHE'] ?? join(tmpdir(), 'node-compile-cache');
/** A process that dies (memory, a signal) is started again this often. */
const NUM_RESTARTS = 1;

/** Treats the shards of every rank; returns when all processes have ended. */
export async function runLocally(dir: string, world: number, log: Logger): Promise<void> {
  if (world === 1) await runRank(dir, { rank: 0, world, log });
  const ranks = Array.from({ length: world }, (_, rank) => rank);
  if (world > 1) await Promise.all(ranks.map((rank) => runChild(dir, rank, world, log)));
}

async function runChild(dir: string, rank: number, world: number, log: Logger): Promise<void> {
  for (let attempt = 0; attempt <= NUM_RESTARTS; attempt += 1) {
    const ended = await childEnd(dir, rank, world);
    if (ended.signal === null) return;
    log.warn(`process ${rank} of ${world} was ended by ${ended.signal}`, { attempt });
  }
}

function childEnd(
  dir: string,
  rank: number,
  world: number,
): Promise<{ readonly signal: NodeJS.Signals | null }> {
  ensureFolder(logFolder(dir));
  const out = openSync(logFile(dir, rank), 'a');
  const child = fork(MAIN, [dir, String(rank), String(world)], {
    execArgv: ['--disable-warning=ExperimentalWarning'],
    env: { ...process.env, NODE_COMPILE_CACHE: COMPILE_CACHE },
    stdio: ['ignore', out, out, 'ipc'],
  });
  closeSync(out);
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (_code, signal) => resolve({ signal }));
  });
}
