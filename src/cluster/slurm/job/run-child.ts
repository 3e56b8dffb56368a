// A child process that prints as if it were this one, with the end of its output kept to say why it
// failed, and with signals handed down.
import { spawn } from 'node:child_process';
import { STOP_SIGNAL } from '../script.ts';
import { errorLine } from './error-line.ts';

/** The programs are TypeScript that Node runs as it is. */
export const NODE_FLAGS: readonly string[] = ['--disable-warning=ExperimentalWarning'];
const PRELOAD = new URL('./stop-signal.ts', import.meta.url).href;

export interface ChildEnd {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  /** The line that says why, of its errors. */
  readonly message: string;
}

const KEPT_CHARACTERS = 16_384;

export interface ChildOptions {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Called for each signal that came and was handed down. */
  onSignal?(signal: NodeJS.Signals): void;
}

export function runChild(
  command: string,
  args: readonly string[],
  options: ChildOptions,
): Promise<ChildEnd> {
  const child = spawn(command, args, {
    env: options.env as NodeJS.ProcessEnv,
    stdio: ['ignore', 'inherit', 'pipe'],
  });
  let kept = '';
  child.stderr.on('data', (bytes: Buffer) => {
    process.stderr.write(bytes);
    kept = (kept + bytes.toString()).slice(-KEPT_CHARACTERS);
  });
  for (const signal of [STOP_SIGNAL, 'SIGTERM'] as const) {
    process.on(signal, () => {
      options.onSignal?.(signal);
      child.kill(signal);
    });
  }
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => resolve({ code, signal, message: errorLine(kept) }));
  });
}

/** A command of ours, which takes the signal to stop for Ctrl-C. */
export function runCommand(argv: readonly string[], options: ChildOptions): Promise<ChildEnd> {
  return runChild(process.execPath, [...NODE_FLAGS, `--import=${PRELOAD}`, ...argv], options);
}

/** True for a command that was told to stop and did: it saved, or had not even begun. */
export function hasStopped({ code, signal }: ChildEnd): boolean {
  return code === 130 || signal === STOP_SIGNAL;
}

/** What is to be told of a child that failed. */
export function reasonOf({ code, signal, message }: ChildEnd): string {
  const end = signal === null ? `exit code ${code}` : `ended by ${signal}`;
  return message === '' ? end : `${message} (${end})`;
}
