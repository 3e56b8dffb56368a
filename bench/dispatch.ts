// What one operator call costs from TypeScript: ops.add of two small tensors inside tidy(), in µs of
// processor time, so that other jobs on the machine count little. Where PYTHON (default python3)
// imports torch, the same call in PyTorch, in turns with ours.
// Run: node bench/dispatch.ts
import { spawnSync } from 'node:child_process';
import { fromArray, runtimeInfo, setNumThreads, tidy } from '../src/tensor/index.ts';
import * as ops from '../src/tensor/ops.ts';

const CALLS_PER_TIDY = 200;
const CALLS = 100_000;
const ROUNDS = 7;

const PYTHON_CODE = `
import time, torch
torch.set_num_threads(1)
x = torch.ones(4)
for calls in (${CALLS} // 5, ${CALLS}):
    start = time.process_time()
    for _ in range(calls):
        torch.add(x, x)
    elapsed = time.process_time() - start
print(elapsed / ${CALLS} * 1e6)
`;

const x = fromArray([1, 1, 1, 1], [4]);

function ours(calls: number): number {
  const start = process.cpuUsage();
  for (let done = 0; done < calls; done += CALLS_PER_TIDY) {
    tidy(() => {
      for (let i = 0; i < CALLS_PER_TIDY; i++) ops.add(x, x);
    });
  }
  const { user, system } = process.cpuUsage(start);
  return (user + system) / calls;
}

function pytorch(): number | undefined {
  const python = process.env['PYTHON'] ?? 'python3';
  const { status, stdout } = spawnSync(python, ['-c', PYTHON_CODE], { encoding: 'utf8' });
  return status === 0 ? Number(stdout) : undefined;
}

function summary(name: string, times: readonly number[]): string {
  const sorted = times.toSorted((a, b) => a - b);
  const [best, median] = [sorted[0], sorted[Math.floor(sorted.length / 2)]];
  return `${name}: ${best?.toFixed(2)} µs a call at best, ${median?.toFixed(2)} in the middle`;
}

setNumThreads(1);
ours(CALLS);
const ourTimes: number[] = [];
const theirTimes: number[] = [];
for (let round = 0; round < ROUNDS; round++) {
  ourTimes.push(ours(CALLS));
  const theirs = round < ROUNDS - 2 ? pytorch() : undefined;
  if (theirs !== undefined) theirTimes.push(theirs);
}
console.log(
  `libtorch ${runtimeInfo().version}, ${CALLS} calls of add on 4 floats, ${ROUNDS} rounds`,
);
console.log(summary('OneVision, with tidy', ourTimes));
if (theirTimes.length === 0) console.log('PyTorch: not measured, PYTHON does not import torch');
else {
  console.log(summary('PyTorch eager, with free', theirTimes));
  const ratio = Math.min(...ourTimes) / Math.min(...theirTimes);
  console.log(`ratio of the best: ${ratio.toFixed(2)}`);
}
