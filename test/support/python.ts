// Python as something to compare with: the interpreter of an environment that set-up made, or why a
// test that wants it is skipped.
import { spawnSync } from 'node:child_process';

interface PythonEnv {
  findPython(name: string): string | undefined;
}

const setup: string = '../../scripts/setup/python-env.mjs';
const { findPython } = (await import(setup)) as PythonEnv;

/** Options of a test that wants the environment: it is skipped, with the reason, where it is not. */
export function needsPython(name: string): { skip: string | false } {
  if (findPython(name) !== undefined) return { skip: false };
  return { skip: `no Python environment ${name}: run node scripts/python-env.mjs ${name}` };
}

/** What a script prints as JSON in its last line; libraries may print before it. */
export function runPython(
  name: string,
  script: string,
  args: readonly string[],
  path = '',
): unknown {
  const { status, stdout, stderr } = spawnSync(findPython(name) ?? '', [script, ...args], {
    encoding: 'utf8',
    env: { ...process.env, PYTHONPATH: path, OMP_NUM_THREADS: '1' },
    maxBuffer: 2 ** 28,
  });
  if (status === 0) return JSON.parse(stdout.trimEnd().split('\n').at(-1) ?? '');
  throw new Error(`${script} ended with ${status}: ${stderr.slice(-4000)}`);
}
