// Runs the pack stage on folders of a test, here or in a process that is killed, and looks at what it
// left behind.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { sha256Hex } from '../../src/core/hash.ts';
import { silentLog } from '../../src/core/log.ts';
import { PackConfigSchema, type PackInput, type PackSettings } from '../../src/pack/config.ts';
import { pack } from '../../src/pack/pack.ts';
import { openPacks } from '../../src/pack/read.ts';
import type { Pack } from '../../src/pack/record.ts';
import type { Manifest } from '../../src/sample/manifest.ts';
import { TINY_PROCESSOR } from './tiny-data.ts';

/** What is packed, and where to. */
export interface PackRun {
  readonly inputs: readonly PackInput[];
  readonly output: string;
  readonly tokenizer: string;
  readonly settings: PackSettings;
}

export function runPack({ settings, ...rest }: PackRun): Promise<Manifest> {
  const config = PackConfigSchema.parse(settings);
  return pack({ ...rest, config, processor: TINY_PROCESSOR, log: silentLog });
}

/** Packs in a process of its own, which is killed after a while. */
export async function runPackInChild(run: PackRun, killAfterMs: number = 2 ** 30): Promise<void> {
  const program = join(import.meta.dirname, 'pack-program.ts');
  const child = spawn(process.execPath, [program, JSON.stringify(run)], { stdio: 'inherit' });
  const timer = setTimeout(() => child.kill('SIGKILL'), killAfterMs);
  await once(child, 'exit');
  clearTimeout(timer);
}

export function readPacks(folder: string): Pack[] {
  using packs = openPacks(folder);
  return Array.from({ length: packs.numPacks }, (_, index) => packs.read(index));
}

/** Name and content of everything in a folder. */
export function digestFolder(folder: string): string[] {
  const names = readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
  return names.map((file) => `${relative(folder, file)} ${sha256Hex(readFileSync(file))}`);
}
