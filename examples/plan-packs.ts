// Packs a million short captions in memory and prints how near to the lower bound it came.
import { createRandom } from '../src/core/hash.ts';
import { planPacks } from '../src/pack/plan.ts';

const random = createRandom('example', 1);
const count = 1_000_000;
const tokens = Uint32Array.from({ length: count }, () => 40 + Math.floor(400 * random.next() ** 3));
const patches = new Uint32Array(count).fill(256);

const started = performance.now();
const limits = { tokens: 8192, patches: 65_536, segments: 4096 };
const plan = planPacks({ tokens, patches }, limits, { seed: 1 });
const seconds = (performance.now() - started) / 1000;

console.log(`${count} samples in ${plan.numPacks} packs, ${seconds.toFixed(2)} s`);
console.log(`fill ${(100 * plan.fill).toFixed(2)} %, lower bound ${plan.lowerBound} packs`);
