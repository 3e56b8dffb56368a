// What recomputation saves and costs: peak memory of a step beyond what lies there before it, and
// processor time, for each mode; every mode in a process of its own, in turns.
// Run: node bench/recompute.ts [--rounds 2]
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { createRandom } from '../src/core/hash.ts';
import { makeBatch, NO_TARGET } from '../src/model/batch.ts';
import { createOneVision } from '../src/model/onevision.ts';
import type { Recompute } from '../src/nn/lean/recompute.ts';
import { backward, setNumThreads, tidy } from '../src/tensor/index.ts';
import { SMALL } from '../test/support/model.ts';

const MODES: readonly Recompute[] = ['none', 'selective', 'full'];
const TOKENS = 2048;
const TEXT = {
  ...SMALL.text,
  vocabSize: 1024,
  hiddenSize: 512,
  intermediateSize: 1536,
  numLayers: 8,
  numHeads: 8,
  numKvHeads: 2,
  headDim: 64,
  maxPositions: TOKENS,
};

interface Measured {
  readonly peakMib: number;
  readonly seconds: number;
}

function measure(mode: Recompute): Measured {
  setNumThreads(1);
  const model = createOneVision({ ...SMALL, text: TEXT }, { seed: 1 });
  model.decoder.setRequiresGrad(true);
  const step = (numTokens: number): void => {
    const random = createRandom('recompute', numTokens);
    const inputIds = Int32Array.from({ length: numTokens }, () => 10 + random.int(1000));
    const targets = inputIds.map((_, i) => inputIds[i + 1] ?? NO_TARGET);
    const batch = makeBatch([{ inputIds, targets, images: [] }]);
    tidy(() => backward(model.loss(batch, { recompute: { language: mode } }).lossSum));
  };
  step(16); // gradients exist
  const before = process.memoryUsage.rss() / 2 ** 20;
  const start = process.cpuUsage();
  step(TOKENS);
  const { user, system } = process.cpuUsage(start);
  const peakMib = process.resourceUsage().maxRSS / 1024 - before;
  return { peakMib, seconds: (user + system) / 1e6 };
}

const { values } = parseArgs({
  options: { rounds: { type: 'string', default: '2' }, mode: { type: 'string' } },
});
if (values.mode !== undefined) {
  console.log(JSON.stringify(measure(values.mode as Recompute)));
} else {
  const results = new Map<Recompute, Measured[]>(MODES.map((mode) => [mode, []]));
  for (let round = 0; round < Number(values.rounds); round += 1) {
    for (const mode of MODES) {
      const args = ['--disable-warning=ExperimentalWarning', fileURLToPath(import.meta.url)];
      // Freed blocks go back to the system at once; the heap of the C library would hide them.
      const env = { ...process.env, MALLOC_MMAP_THRESHOLD_: '65536' };
      const { stdout } = spawnSync(process.execPath, [...args, '--mode', mode], {
        encoding: 'utf8',
        env,
      });
      results.get(mode)?.push(JSON.parse(stdout) as Measured);
    }
  }
  const best = (mode: Recompute, key: keyof Measured): number =>
    Math.min(...(results.get(mode) ?? []).map((measured) => measured[key]));
  for (const mode of MODES) {
    const [peak, seconds] = [best(mode, 'peakMib'), best(mode, 'seconds')];
    const saved = peak / best('none', 'peakMib');
    const cost = seconds / best('none', 'seconds');
    console.log(
      `${mode.padEnd(9)} peak ${peak.toFixed(0).padStart(5)} MiB (${saved.toFixed(2)} ×), ` +
        `step ${seconds.toFixed(2)} s (${cost.toFixed(2)} ×)`,
    );
  }
}
