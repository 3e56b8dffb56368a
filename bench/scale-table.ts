// Steps of LLaVA-OneVision-1.5 on many GPUs by the simulator: nothing here was run. Prints the table of
// docs/scale.md. Inputs: packs of 8,192 tokens, one a rank and step; H100 at 40 % of 989 TFLOP/s; 300 GB/s within
// a machine of eight, 40 GB/s a GPU between machines; 10 and 20 µs a message.

import { simulateStep, stateBytes } from '../src/parallel/simulate.ts';

const TOKENS = 8192;
const FLOPS_PER_MS = 0.4 * 989e9;
const MEMORY_BYTES_PER_MS = 3e9;
const within = { bytesPerMs: 300e6, latencyMs: 0.01 };
const between = { bytesPerMs: 40e6, latencyMs: 0.02 };
/** Parameters of a decoder block and of all; FLOPs a token, trained, causal. */
const MODELS = [
  { name: '4B', numBlocks: 36, block: 100.9e6, all: 4.74e9, flops: 31.4e9 },
  { name: '8B', numBlocks: 36, block: 192.9e6, all: 8.53e9, flops: 52.7e9 },
];

console.log(
  '| model | GPUs | shared over | step, ms | of ideal | tokens/s/GPU | sent a step, GiB | state, GiB |',
);
console.log('|--|--|--|--|--|--|--|--|');
for (const { name, numBlocks, block, all, flops } of MODELS) {
  const idealMs = (flops * TOKENS) / FLOPS_PER_MS;
  const traceOf = (parameters: number): Parameters<typeof simulateStep>[0]['rest'] => ({
    forwardMs: (idealMs * parameters) / all / 3,
    backwardMs: (2 * idealMs * parameters) / all / 3,
    weightBytes: 2 * parameters,
    gradientBytes: 4 * parameters,
  });
  const rest = all - numBlocks * block;
  const trace = {
    blocks: Array.from({ length: numBlocks }, () => traceOf(block)),
    rest: traceOf(rest),
    passes: 1,
    // Read and write weight, master, gradient and two moments once.
    updateMs: (32 * all) / MEMORY_BYTES_PER_MS,
  };
  for (const gpus of [8, 128, 1024]) {
    for (const ranks of gpus === 8 ? [8] : [gpus, 8]) {
      const link = ranks === 8 ? within : between;
      const replicas = { groups: gpus / ranks, link: between };
      const sharding = 'full' as const;
      const step = simulateStep(trace, { sharding, ranks, link, replicas });
      const state = stateBytes({ decoder: numBlocks * block, rest }, { sharding, ranks }, 2);
      const cells = [
        name,
        gpus,
        ranks === gpus ? 'all' : `${ranks}, replicated`,
        step.stepMs.toFixed(0),
        `${((100 * idealMs) / step.stepMs).toFixed(0)} %`,
        ((1000 * TOKENS) / step.stepMs).toFixed(0),
        (step.bytes / 2 ** 30).toFixed(1),
        (state / 2 ** 30).toFixed(0),
      ];
      console.log(`| ${cells.join(' | ')} |`);
    }
  }
}
