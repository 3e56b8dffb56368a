// Starts the ranks of one training on this machine and watches over them, with the environment that
// torchrun gives. One rank that fails ends all; its error is what is reported.

import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync, writeSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { OneVisionError } from '../core/errors.ts';
import { ensureFolder } from '../core/files.ts';
import type { Logger } from '../core/log.ts';

export interface LaunchOptions {
  readonly ranks: number;
  /** Program and arguments, the same for every rank. */
  readonly command: readonly string[];
  /** Folder of the ranks' logs. Rank 0 speaks on this terminal too. */
  readonly logs: string;
  readonly log: Logger;
  /** How long ranks may take to end by themselves after one has failed. Default 15 s. */
  readonly graceMs?: number;
}

/** How a rank ended. */
interface End {
  readonly rank: number;
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  /** The end of what it said on stderr. */
  readonly tail: string;
}

const GRACE_MS = 15_000;
const TAIL_CHARACTERS = 4000;
/** Exit code of a rank whose only fault is that another is gone. */
const CODE_OF_PARALLEL = 7;
/** How long after the first end another may turn out to be the cause. */
const CAUSE_MS = 1000;

/**
 * Runs all ranks to their end. A signal to this process goes to every rank.
 * @throws OneVisionError 'parallel' with the error of the rank that failed first; 'interrupted' where
 * the ranks stopped for a signal.
 */
export async function launchRanks(options: LaunchOptions): Promise<void> {
  const { ranks, logs, log } = options;
  ensureFolder(logs);
  const port = await freePort();
  const children = Array.from({ length: ranks }, (_, rank) => start(options, rank, port));
  const forward = (signal: NodeJS.Signals): void => {
    log.warn(`${signal}: all ranks finish their step and save`);
    for (const child of children) child.kill(signal);
  };
  const signals = ['SIGINT', 'SIGTERM'] as const;
  for (const signal of signals) process.on(signal, forward);
  try {
    const ends = children.map((child, rank) => endOf(child, rank, join(logs, logName(rank))));
    const failed = await firstFailure(ends);
    if (failed === undefined) return;
    const all = await stopOthers(children, ends, options);
    throw describe(failed, all, options);
  } finally {
    for (const signal of signals) process.removeListener(signal, forward);
  }
}

function logName(rank: number): string {
  return `rank-${String(rank).padStart(4, '0')}.log`;
}

function start({ ranks, command, logs }: LaunchOptions, rank: number, port: number): ChildProcess {
  const [program = '', ...args] = command;
  const file = openSync(join(logs, logName(rank)), 'a');
  const child = spawn(program, args, {
    // Its end of stdin closes when this process dies: the rank then stops by itself.
    stdio: ['pipe', rank === 0 ? 'inherit' : file, 'pipe'],
    // A group of its own: Ctrl-C reaches it through this process only, once.
    detached: true,
    env: {
      ...process.env,
      RANK: String(rank),
      WORLD_SIZE: String(ranks),
      LOCAL_RANK: String(rank),
      LOCAL_WORLD_SIZE: String(ranks),
      MASTER_ADDR: '127.0.0.1',
      MASTER_PORT: String(port),
      ONEVISION_LAUNCHED: '1',
    },
  });
  closeSync(file);
  return child;
}

function endOf(child: ChildProcess, rank: number, path: string): Promise<End> {
  let tail = '';
  const file = openSync(path, 'a');
  child.stderr?.on('data', (chunk: Buffer) => {
    tail = (tail + chunk.toString()).slice(-TAIL_CHARACTERS);
    if (rank === 0) process.stderr.write(chunk);
    writeSync(file, chunk);
  });
  return new Promise((resolve) => {
    const end = (code: number | null, signal: NodeJS.Signals | null): void => {
      closeSync(file);
      resolve({ rank, code, signal, tail: tail.trim() });
    };
    child.once('error', (error) => {
      tail += error.message;
      end(null, null);
    });
    child.once('close', end);
  });
}

/** The rank to blame, undefined where all ended well. */
async function firstFailure(ends: readonly Promise<End>[]): Promise<End | undefined> {
  const failures: End[] = [];
  const fine = Promise.all(ends).then(() => undefined);
  const first = Promise.race([
    ...ends.map(async (end) => {
      const ended = await end;
      if (ended.code === 0) return new Promise<never>(() => undefined);
      failures.push(ended);
      return ended;
    }),
    fine.then(() => failures[0]),
  ]);
  const one = await first;
  if (one === undefined || !isCollateral(one)) return one;
  // Who lost another may be heard of before that other.
  await new Promise((resolve) => setTimeout(resolve, CAUSE_MS).unref());
  return failures.find((failure) => !isCollateral(failure)) ?? one;
}

function isCollateral({ code }: End): boolean {
  return code === CODE_OF_PARALLEL;
}

/** Lets the others see that one is gone, then ends them. */
async function stopOthers(
  children: readonly ChildProcess[],
  ends: readonly Promise<End>[],
  { graceMs = GRACE_MS }: LaunchOptions,
): Promise<End[]> {
  const kill = setTimeout(() => {
    for (const child of children) child.kill('SIGKILL');
  }, graceMs);
  const all = await Promise.all(ends);
  clearTimeout(kill);
  return all;
}

function describe(
  failed: End,
  all: readonly End[],
  { logs, ranks }: LaunchOptions,
): OneVisionError {
  const { rank, code, signal, tail } = failed;
  if (all.every((end) => end.code === 130)) {
    return new OneVisionError('interrupted', lastError(tail), {
      hint: 'run the same command again to go on from there',
    });
  }
  const how = signal === null ? `ended with code ${code}` : `was ended by ${signal}`;
  const said = lastError(tail);
  return new OneVisionError(
    'parallel',
    `rank ${rank} of ${ranks} ${how}${said === '' ? '' : `: ${said}`}`,
    {
      hint: `its log is ${join(logs, logName(rank))}; the same command goes on from the last checkpoint`,
    },
  );
}

/** The last error a rank has printed, or its last line. */
function lastError(tail: string): string {
  const lines = tail.split('\n');
  const at = lines.findLastIndex((line) => line.startsWith('error ('));
  return (at < 0 ? lines.slice(-1) : lines.slice(at)).join('\n');
}

/** A port that nobody listens on now. */
function freePort(): Promise<number> {
  const server = createServer();
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' ? (address?.port ?? 0) : 0));
    });
  });
}
