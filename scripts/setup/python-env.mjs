// Virtual environments of Python packages that tests compare with: made once in the project's cache.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { cacheRoot } from './corpus.mjs';

const TABLE = fileURLToPath(new URL('./python-environments.json', import.meta.url));
const DONE = 'onevision-ready';

/** The environments and their packages, in the order in which they are installed. */
export function readEnvironments() {
  return JSON.parse(readFileSync(TABLE, 'utf8'));
}

/** Where an environment lies; other packages, another folder. */
export function environmentFolder(name) {
  const packages = readEnvironments()[name];
  if (packages === undefined) throw new Error(`There is no Python environment named ${name}.`);
  const hash = createHash('sha256').update(packages.join('\n')).digest('hex').slice(0, 12);
  return join(cacheRoot(), 'python', `${name}-${hash}`);
}

/** The interpreter of a finished environment, or undefined. */
export function findPython(name) {
  const folder = environmentFolder(name);
  return existsSync(join(folder, DONE)) ? join(folder, 'bin', 'python') : undefined;
}

/**
 * Makes an environment where it is missing.
 * @returns why it cannot be made, or undefined.
 */
export function makeEnvironment(name, { log, python = process.env.PYTHON ?? 'python3' }) {
  if (findPython(name) !== undefined) return undefined;
  const folder = environmentFolder(name);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(dirname(folder), { recursive: true });
  log(`Python environment ${name}: installing`);
  const steps = [[python, '-m', 'venv', folder]];
  // One call a package: a later one must not choose another build of an earlier one.
  for (const pinned of readEnvironments()[name]) {
    steps.push([join(folder, 'bin', 'python'), '-m', 'pip', 'install', '--quiet', pinned]);
  }
  for (const [command, ...args] of steps) {
    const { status, error, stderr } = spawnSync(command, args, { encoding: 'utf8' });
    if (status === 0) continue;
    const reason = error?.message ?? stderr.trim().split('\n').at(-1) ?? 'it failed';
    return `${[command, ...args].join(' ')}: ${reason}`;
  }
  writeFileSync(join(folder, DONE), '');
  return undefined;
}
