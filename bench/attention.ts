// Two batched products against ATen's fused attention for segments of several lengths, forward and
// backward together: least times and fused / products, in one run. It decides PRODUCTS_UP_TO of
// src/nn/attention.ts; measure on an idle machine. Run: node bench/attention.ts

import { layoutAttention, varlenAttention } from '../src/nn/attention.ts';
import { cumulativeLengths, planSegments } from '../src/nn/segments.ts';
import { gradients, numThreads, type Tensor, tidy } from '../src/tensor/index.ts';
import * as ops from '../src/tensor/ops.ts';

const HEADS = 2;
const DIM = 64;
const TOKENS = 1536;
const ROUNDS = 40;

const random = (): Tensor => {
  const x = ops.randn([TOKENS, HEADS, DIM]);
  x.requiresGrad = true;
  return x;
};
const [q, k, v, gradient] = [random(), random(), random(), ops.randn([TOKENS, HEADS * DIM])];

/** Milliseconds of one forward and backward over segments of one length. */
function measure(length: number, productsUpTo: number): number {
  const lengths = new Array<number>(TOKENS / length).fill(length);
  const plan = planSegments(cumulativeLengths(lengths), { groupCost: 0 });
  const start = performance.now();
  tidy(() => {
    const options = { causal: true, queriesPerKey: 1, dtype: 'float32', device: 'cpu' } as const;
    const layout = layoutAttention(plan, { ...options, productsUpTo });
    gradients(varlenAttention(q, k, v, layout), [q, k, v], [gradient]);
  });
  return performance.now() - start;
}

console.log(`${TOKENS} tokens, ${HEADS} heads of ${DIM}, ${numThreads()} threads`);
console.log('length   products ms   fused ms   fused / products');
for (const length of [16, 32, 48, 64, 96, 128, 192, 256, 384, 768]) {
  const times: [number[], number[]] = [[], []];
  for (let round = 0; round < ROUNDS; round++) {
    times[0].push(measure(length, 1e9));
    times[1].push(measure(length, 0));
  }
  const [products, fused] = times.map((list) => Math.min(...list)) as [number, number];
  const columns = [length, products.toFixed(2), fused.toFixed(2), (fused / products).toFixed(2)];
  console.log(columns.map((value, i) => String(value).padStart([6, 14, 11, 19][i] ?? 0)).join(''));
}
