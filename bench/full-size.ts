// A released size in full on this machine: random bfloat16 weights (a million normal values, repeated)
// are written tensor by tensor, then a process of its own loads them and answers eight tokens about a
// picture. Prints times and peaks of memory.
//   node bench/full-size.ts [--size 2b|4b|8b] [--folder where the weights go, removed afterwards]
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { createRandom } from '../src/core/hash.ts';
import { sizeBytes, writeWeights } from '../src/model/checkpoint/shards.ts';
import { loadModel, saveConfig, shapesOf } from '../src/model/checkpoint.ts';
import type { OneVisionConfig } from '../src/model/config.ts';
import { generate } from '../src/model/generate.ts';
import { ONEVISION_2B, ONEVISION_4B, ONEVISION_8B } from '../src/model/presets.ts';
import { createGenerator } from '../src/tensor/index.ts';
import * as ops from '../src/tensor/ops.ts';
import { type LazyTensor, lazyFrom } from '../src/tensor/storage/stored-tensor.ts';

const SIZES = new Map([
  ['2b', ONEVISION_2B],
  ['4b', ONEVISION_4B],
  ['8b', ONEVISION_8B],
]);
const { values } = parseArgs({
  options: {
    size: { type: 'string', default: '4b' },
    folder: { type: 'string', default: tmpdir() },
    load: { type: 'string' },
  },
});
const gib = (bytes: number): string => `${(bytes / 2 ** 30).toFixed(2)} GiB`;

/** Time since `start`, of the clock and of the processor: other jobs stretch the first only. */
function stopwatch(): () => string {
  const start = performance.now();
  const before = process.cpuUsage();
  return () => {
    const { user, system } = process.cpuUsage(before);
    const clock = (performance.now() - start) / 1000;
    return `${clock.toFixed(1)} s (${((user + system) / 1e6).toFixed(1)} s of processor)`;
  };
}

const BLOCK = 1 << 20;

function randomWeights(config: OneVisionConfig): Map<string, LazyTensor> {
  const generator = createGenerator('cpu', 1);
  const normal = ops.normal_(ops.empty([BLOCK]), { mean: 0, std: 0.02, generator });
  const block = ops.toCopy(normal, { dtype: 'bfloat16' });
  const lazy = (name: string, shape: readonly number[]): LazyTensor => {
    const isNorm = /norm|ln_q/.test(name) && name.endsWith('weight');
    const numel = shape.reduce((product, size) => product * size, 1);
    return lazyFrom({ dtype: 'bfloat16', shape }, () => {
      const many = ops.repeat(block, [Math.ceil(numel / BLOCK)]);
      const values = ops.view(ops.narrow(many, 0, 0, numel), shape);
      return isNorm ? ops.addScalar(values, 1) : values;
    });
  };
  return new Map([...shapesOf(config)].map(([name, shape]) => [name, lazy(name, shape)]));
}

/** Peak resident bytes of this process. */
function peakBytes(): number {
  const match = /VmHWM:\s+(\d+)/.exec(readFileSync('/proc/self/status', 'utf8'));
  return Number(match?.[1] ?? Number.NaN) * 1024;
}

function loadAndAnswer(folder: string): void {
  const before = peakBytes();
  let watch = stopwatch();
  using model = loadModel(folder);
  const weights = 2 * model.numParameters;
  console.log(`weights ${gib(weights)}; process before loading ${gib(before)}`);
  console.log(`load    ${watch()}, peak ${gib(peakBytes())}`);
  const random = createRandom('picture');
  const [gridH, gridW] = [8, 8];
  const pixels = Float32Array.from({ length: gridH * gridW * 588 }, () => random.normal());
  const { imageTokenId, visionStartTokenId, visionEndTokenId } = model.config;
  const image = new Array<number>((gridH * gridW) / 4).fill(imageTokenId);
  const text = Array.from({ length: 8 }, () => random.int(150_000));
  const inputIds = Int32Array.from([visionStartTokenId, ...image, visionEndTokenId, ...text]);
  watch = stopwatch();
  const prompt = { inputIds, images: [{ pixels, gridH, gridW }] };
  let first = '';
  const [reply] = generate(model, [prompt], {
    maxNewTokens: 8,
    stopIds: [],
    onToken: () => {
      first ||= watch();
    },
  });
  console.log(
    `answer  ${reply?.ids.length} tokens in ${watch()}, the first after ${first}; ` +
      `a prompt of ${inputIds.length} with a picture of ${gridH * gridW} patches`,
  );
  const ratio = peakBytes() / weights;
  console.log(`load average of the machine ${loadavg()[0]?.toFixed(1)}`);
  console.log(`peak    ${gib(peakBytes())} in all, ${ratio.toFixed(3)} of the weights`);
}

async function main(): Promise<void> {
  const config = SIZES.get(values.size);
  if (config === undefined) throw new RangeError(`--size ${[...SIZES.keys()].join(' or ')}`);
  const folder = mkdtempSync(join(values.folder, 'onevision-full-size-'));
  try {
    const watch = stopwatch();
    const weights = randomWeights(config);
    await saveConfig(folder, config, 'bfloat16');
    await writeWeights(folder, weights);
    const bytes = [...weights.values()].reduce((sum, tensor) => sum + sizeBytes(tensor), 0);
    console.log(`write   ${gib(bytes)} in ${watch()}, peak ${gib(peakBytes())}`);
    const args = ['--disable-warning=ExperimentalWarning', import.meta.filename, '--load', folder];
    const { status } = spawnSync(process.execPath, args, { stdio: 'inherit' });
    process.exitCode = status ?? 1;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

if (values.load === undefined) await main();
else loadAndAnswer(values.load);
