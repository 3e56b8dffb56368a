// Runs a program once a rank, in processes of their own, as torchrun would. For tests of src/parallel.

import { type ChildProcess, spawn } from 'node:child_process';
import { createServer } from 'node:net';

export interface RankResult {
  readonly code: number | NodeJS.Signals | null;
  readonly output: string;
  readonly errors: string;
}

export interface Ranks {
  readonly children: readonly ChildProcess[];
  /** Resolves when all have ended, in order of the ranks. */
  readonly results: Promise<RankResult[]>;
}

/** Starts `size` ranks of a TypeScript program. */
export async function startRanks(
  program: string,
  size: number,
  args: readonly string[] = [],
  env: Readonly<Record<string, string>> = {},
): Promise<Ranks> {
  const port = await freePort();
  const children = Array.from({ length: size }, (_, rank) =>
    spawn(process.execPath, ['--disable-warning=ExperimentalWarning', program, ...args], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: {
        ...process.env,
        OMP_NUM_THREADS: '1',
        RANK: String(rank),
        WORLD_SIZE: String(size),
        LOCAL_RANK: String(rank),
        LOCAL_WORLD_SIZE: String(size),
        MASTER_ADDR: '127.0.0.1',
        MASTER_PORT: String(port),
        ...env,
      },
    }),
  );
  return { children, results: Promise.all(children.map(resultOf)) };
}

/** The same, waited for. */
export async function runRanks(...start: Parameters<typeof startRanks>): Promise<RankResult[]> {
  return (await startRanks(...start)).results;
}

function resultOf(child: ChildProcess): Promise<RankResult> {
  let output = '';
  let errors = '';
  child.stdout?.on('data', (chunk: Buffer) => {
    output += chunk.toString();
  });
  child.stderr?.on('data', (chunk: Buffer) => {
    errors += chunk.toString();
  });
  return new Promise((resolve) => {
    child.once('close', (code, signal) => resolve({ code: code ?? signal, output, errors }));
  });
}

/** A port that nobody listens on now. */
export function freePort(): Promise<number> {
  const server = createServer();
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      const port = typeof address === 'object' && address !== null ? address.port : 0;
      server.close(() => resolve(port));
    });
  });
}
