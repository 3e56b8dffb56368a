// A child process that prints as if it were this one, with the end of its output kept to say why it
// failed, and with signals handed down.
import { spawn } from 'node:child_process';
import { errorLine } from './error-line.ts';

export interface ChildEnd {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  /** The line that says why, of its errors. */
  readonly message: string;
}

const KEPT_CHARACTERS = 16_384;

export interface ChildOptions {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Signal to this process → signal to the child. */
  readonly forward: Readonly<Partial<Record<NodeJS.Signals, NodeJS.Signals>>>;
  /** Called for each signal that came. */
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
  for (const [from, to] of Object.entries(options.forward)) {
    process.on(from as NodeJS.Signals, () => {
      options.onSignal?.(from as NodeJS.Signals);
      child.kill(to);
    });
  }
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => resolve({ code, signal, message: errorLine(kept) }));
  });
}

/** True for the end of a command that was told to stop and did: saved, exit code 130. */
export function hasStopped({ code, signal }: ChildEnd): boolean {
  return code === 130 || signal === 'SIGINT';
}

/** What is to be told of a child that failed. */
export function reasonOf({ code, signal, message }: ChildEnd): string {
  const end = signal === null ? `exit code ${code}` : `ended by ${signal}`;
  return message === '' ? end : `${message} (${end})`;
}
