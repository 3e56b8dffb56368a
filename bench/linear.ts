// One linear layer of a decoding step without a graph: our kernels for few rows against aten::linear,
// the same tensors in turns, in ms of processor time on one thread, and the ratio.
// Run: node bench/linear.ts
import { noGrad, setNumThreads, type Tensor, tidy } from '../src/tensor/index.ts';
import * as ops from '../src/tensor/ops.ts';

/** [out, in] of a feed-forward layer and of the output head of Qwen3-0.6B. */
const SHAPES = [
  [3072, 1024],
  [151936, 1024],
] as const;
const ROWS = [1, 2, 4, 8, 16];
const ROUNDS = 7;

function cpuMs(product: () => Tensor): number {
  const start = process.cpuUsage();
  tidy(() => void product());
  const { user, system } = process.cpuUsage(start);
  return (user + system) / 1000;
}

function compare(weight: Tensor, numRows: number): string {
  const x = ops.randn([numRows, weight.shape[1] ?? 0], { dtype: weight.dtype });
  const times = Array.from({ length: ROUNDS }, () => [
    cpuMs(() => ops.linearRows(x, weight)),
    cpuMs(() => ops.linear(x, weight)),
  ]);
  const [ours, aten] = [0, 1].map((i) => Math.min(...times.map((pair) => pair[i] as number)));
  const ratio = (aten as number) / (ours as number);
  return `${ours?.toFixed(2)} ms, ATen ${aten?.toFixed(2)} ms, ratio ${ratio.toFixed(2)}`;
}

setNumThreads(1);
noGrad(() => {
  for (const dtype of ['float32', 'bfloat16'] as const) {
    for (const shape of SHAPES) {
      tidy(() => {
        const weight = ops.randn(shape, { dtype });
        for (const rows of ROWS) {
          const line = tidy(() => compare(weight, rows));
          console.log(`${dtype} [${shape}], ${rows} rows: ${line}`);
        }
      });
    }
  }
});
