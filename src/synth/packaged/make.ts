// Makes a packaged set as sample shards below a folder of data sets. What is made stays made.
import { join } from 'node:path';
import { packageFolder, packageVersion } from '../../sample/corpus/packages.ts';
import { hashConfig, isComplete } from '../../sample/manifest.ts';
import { writeSet } from '../write-set.ts';
import type { PackagedSet } from './set.ts';

export interface MakePackagedOptions {
  /** Folder of data sets; the set lies in `packaged/<name>` of it. */
  readonly data: string;
  /** Make the first items only: for tests. */
  readonly count?: number;
}

const SAMPLES_PER_SHARD = 100;

export function packagedFolder(data: string, name: string): string {
  return join(data, 'packaged', name);
}

/**
 * Makes the set unless it is there. The bytes depend on its packages and version alone.
 * @returns whether anything was made
 * @throws OneVisionError 'data' with the command that fetches a missing package
 */
export async function makePackagedSet(
  set: PackagedSet,
  { data, count = set.count }: MakePackagedOptions,
): Promise<boolean> {
  const { name, version, packages } = set;
  const folder = packagedFolder(data, name);
  const hash = hashConfig('packaged', name, version, count, packages.map(packageVersion));
  if (isComplete(folder, hash)) return false;
  for (const needed of packages) packageFolder(needed);
  const generator = { ...set.open(), count };
  await writeSet(generator, {
    source: name,
    path: `packaged/${name}`,
    split: 'test',
    stats: { version, packages: packages.map(packageVersion) },
    folder,
    hash,
    samplesPerShard: SAMPLES_PER_SHARD,
  });
  return true;
}
