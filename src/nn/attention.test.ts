// Variable-length attention against the definition, and the walls between segments.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { maxDifference, randomLeaf } from '../../test/support/gradients.ts';
import { fromArray, noGrad, type Tensor, tidy } from '../tensor/index.ts';
import * as ops from '../tensor/ops.ts';
import { varlenAttention } from './attention.ts';
import { cumulativeLengths, planSegments, type SegmentPlan } from './segments.ts';

interface Case {
  readonly lengths: readonly number[];
  readonly causal: boolean;
  readonly heads: number;
  readonly kvHeads: number;
}
const DIM = 4;

function setUp({ lengths, causal, heads, kvHeads }: Case): {
  plan: SegmentPlan;
  run: (q: Tensor, k: Tensor, v: Tensor) => Tensor;
  inputs: readonly [Tensor, Tensor, Tensor];
} {
  const plan = planSegments(cumulativeLengths(lengths), { groupCost: causal ? 6 : 0 });
  const layout = { causal, groups: plan.groups };
  const leaf = (name: string, count: number): Tensor => {
    return randomLeaf(name, [plan.numRows, count, DIM]);
  };
  return {
    plan,
    run: (q, k, v) => noGrad(() => varlenAttention(q, k, v, layout)),
    inputs: [leaf('q', heads), leaf('k', kvHeads), leaf('v', kvHeads)],
  };
}

/** The definition, one query at a time. */
function reference(c: Case, plan: SegmentPlan, tensors: readonly Tensor[]): Float64Array {
  const [q = [], k = [], v = []] = tensors.map((x) => x.toNumbers());
  const out = new Float64Array(plan.numTokens * c.heads * DIM);
  let start = 0;
  for (const length of c.lengths) {
    for (let i = 0; i < length; i++) {
      for (let h = 0; h < c.heads; h++) {
        const kv = Math.floor((h * c.kvHeads) / c.heads);
        const last = c.causal ? i : length - 1;
        const at = (data: number[], token: number, count: number, head: number): number[] => {
          const row = plan.rowOfToken[token] as number;
          return data.slice((row * count + head) * DIM, (row * count + head + 1) * DIM);
        };
        const query = at(q, start + i, c.heads, h);
        const scores = Array.from({ length: last + 1 }, (_, j) => {
          const key = at(k, start + j, c.kvHeads, kv);
          return Math.exp(
            query.reduce((s, x, d) => s + x * (key[d] as number), 0) / Math.sqrt(DIM),
          );
        });
        const total = scores.reduce((a, b) => a + b, 0);
        for (let j = 0; j <= last; j++) {
          const value = at(v, start + j, c.kvHeads, kv);
          for (let d = 0; d < DIM; d++) {
            const to = ((start + i) * c.heads + h) * DIM + d;
            out[to] = (out[to] as number) + ((scores[j] as number) / total) * (value[d] as number);
          }
        }
      }
    }
    start += length;
  }
  return out;
}

function tokensOf(plan: SegmentPlan, rows: Tensor): Tensor {
  return ops.indexSelect(rows, 0, fromArray(plan.rowOfToken, [plan.numTokens]));
}

for (const c of [
  { lengths: [4, 4, 4], causal: false, heads: 2, kvHeads: 2 },
  { lengths: [4, 7, 1, 4], causal: false, heads: 2, kvHeads: 1 },
  { lengths: [4, 7, 1, 4, 5], causal: true, heads: 4, kvHeads: 2 },
  { lengths: [6, 205, 203], causal: true, heads: 2, kvHeads: 1 },
  { lengths: [210, 6], causal: false, heads: 2, kvHeads: 2 },
]) {
  test(`equals the definition: ${JSON.stringify(c)}`, () => {
    tidy(() => {
      const { plan, run, inputs } = setUp(c);
      const came = tokensOf(plan, run(...inputs));
      assert.ok(maxDifference(came, reference(c, plan, inputs)) < 1e-12);
    });
  });
}

test('changing one segment leaves the others equal to the bit', () => {
  tidy(() => {
    const c = { lengths: [4, 7, 6, 4], causal: true, heads: 4, kvHeads: 2 };
    const { plan, run, inputs } = setUp(c);
    const before = tokensOf(plan, run(...inputs)).toNumbers();
    const row = plan.rowOfToken[5] as number; // second segment
    noGrad(() => {
      for (const input of inputs) ops.fill_(ops.narrow(input, 0, row, 1), 3);
    });
    const after = tokensOf(plan, run(...inputs)).toNumbers();
    const width = c.heads * DIM;
    assert.deepEqual(after.slice(0, 4 * width), before.slice(0, 4 * width));
    assert.deepEqual(after.slice(11 * width), before.slice(11 * width));
    assert.notDeepEqual(after.slice(4 * width, 11 * width), before.slice(4 * width, 11 * width));
  });
});
