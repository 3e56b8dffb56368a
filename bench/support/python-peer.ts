// A Python process that answers one line with one line, so that a benchmark can take turns with it.
// PYTHON (default python3) has to import what the code needs.
import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

/** `using` ends the process. */
export interface PythonPeer {
  /** Send a line, wait for a line. */
  ask(line: string): Promise<string>;
  [Symbol.dispose](): void;
}

/**
 * Start `python -c code` and wait for its first line.
 * @returns undefined where it ends before that, with the reason on stderr
 */
export async function startPython(code: string, threads = 1): Promise<PythonPeer | undefined> {
  const env = { ...process.env, OMP_NUM_THREADS: String(threads) };
  const child: ChildProcess = spawn(process.env['PYTHON'] ?? 'python3', ['-c', code], {
    env,
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  let complaint = '';
  child.stderr?.on('data', (chunk) => {
    complaint = `${complaint}${chunk}`.slice(-2000);
  });
  if (child.stdout === null) return undefined;
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const first = await lines.next();
  if (first.done === true) {
    process.stderr.write(`PYTHON does not run the peer; it said: ${complaint.trim()}\n`);
    return undefined;
  }
  return {
    async ask(line) {
      child.stdin?.write(`${line}\n`);
      const answer = await lines.next();
      if (answer.done === true) throw new Error(`The Python peer ended: ${complaint.trim()}`);
      return answer.value;
    },
    [Symbol.dispose]: () => child.kill(),
  };
}
