// The losses of a short run on the demo's path through the trainer: float32, Muon, sqrt-length, packs
// of pictures, augmentation, two stages; one thread. Also a program that prints the golden file:
// node test/support/losses.ts > test/fixtures/losses/demo.txt

import { mkdtempSync, rmSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { runtimeInfo, setNumThreads } from '../../src/tensor/index.ts';
import { readMetrics } from '../../src/track/read.ts';
import { prepareTinyRun, runTiny } from './tiny-run.ts';

/** Where numbers agree to the bit: the same libtorch, kernels and processor. */
export function machineLine(): string {
  const { version, cpu } = runtimeInfo();
  return `# libtorch ${version}, ${cpu}, ${cpus()[0]?.model.trim()}`;
}

/** A line a step: step, stage, loss, gradient norm. */
export async function lossLines(): Promise<string[]> {
  setNumThreads(1);
  const dir = mkdtempSync(join(tmpdir(), 'losses-'));
  try {
    await prepareTinyRun(dir);
    const changes = { lossWeighting: 'sqrt-length', logEvery: 1 } as const;
    (await runTiny(dir, 'run', changes))[Symbol.dispose]();
    const rows = await readMetrics(join(dir, 'run'));
    return rows.map((row) =>
      [row.step, row.stage, row['train/loss'], row['train/grad_norm']].join(' '),
    );
  } finally {
    rmSync(dir, { recursive: true });
  }
}

if (import.meta.main) {
  process.stdout.write(`${[machineLine(), ...(await lossLines())].join('\n')}\n`);
}
