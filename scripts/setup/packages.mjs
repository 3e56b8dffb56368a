// Installs the npm packages of package-lock.json, once per lock file.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const STAMP = join('node_modules', '.onevision-lock');

/**
 * @param {{ root: string, log: (line: string) => void }} options
 * @throws when npm fails; npm's own output is shown above the error
 */
export function installPackages({ root, log }) {
  const lock = createHash('sha256')
    .update(readFileSync(join(root, 'package-lock.json')))
    .digest('hex');
  const stamp = join(root, STAMP);
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === lock) return;
  log('npm packages: installing');
  // Not `npm ci`: it refuses a lock file whose optional packages for other systems the registry left out.
  const args = ['install', '--no-save', '--no-audit', '--no-fund', '--loglevel=error'];
  const { status } = spawnSync('npm', args, { cwd: root, stdio: ['ignore', 2, 2] });
  if (status !== 0) {
    throw new Error(
      `npm ${args.join(' ')} ended with status ${status}. Run it by hand to see why.`,
    );
  }
  writeFileSync(stamp, lock);
}
