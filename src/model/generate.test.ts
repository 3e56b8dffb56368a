// Generation with a cache equals the full forward; sampling follows its settings.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { IMAGE_TOKEN, randomSegment, smallModel } from '../../test/support/model.ts';
import { memory, noGrad, type Tensor, tidy } from '../tensor/index.ts';
import * as ops from '../tensor/ops.ts';
import { makeBatch, type Segment } from './batch.ts';
import { generate } from './generate.ts';
import { sampleToken } from './generation/sampling.ts';
import type { OneVision } from './onevision.ts';
import { scoreSegments, tokenLogProbs } from './score.ts';

const PROMPTS: readonly Segment[] = [
  randomSegment('p', 7, [[2, 4]]),
  randomSegment('q', 3, []),
  randomSegment('r', 15, [
    [2, 2],
    [4, 4],
  ]),
].map(({ inputIds, images }) => ({ inputIds, images }));

/** Log-probabilities of the next token, without a cache. */
function nextLogProbs(model: OneVision, { inputIds, images }: Segment): number[] {
  return tidy(() =>
    noGrad(() => {
      const batch = makeBatch([{ inputIds, images }]);
      const logits = model
        .logits(model.featuresAt(batch, Int32Array.of(inputIds.length - 1)))
        .toNumbers();
      const max = Math.max(...logits);
      const normaliser = max + Math.log(logits.reduce((s, x) => s + Math.exp(x - max), 0));
      return logits.map((x) => x - normaliser);
    }),
  );
}

test('greedy with a cache equals the full forward, step by step, past a growth of the cache', () => {
  using model = smallModel();
  // Never the image token: the full forward would look for its image.
  const head = model.namedParameters().get('lm_head.weight') as Tensor;
  tidy(() => void ops.zero_(ops.narrow(head, 0, IMAGE_TOKEN, 1)));
  const maxNewTokens = 80; // more than the first room of 64
  const completions = generate(model, PROMPTS, { maxNewTokens, stopIds: [] });
  for (const [i, { ids, logProbs, finish }] of completions.entries()) {
    assert.equal(finish, 'length');
    assert.equal(ids.length, maxNewTokens);
    const prompt = PROMPTS[i] as Segment;
    for (const at of [0, 1, 2, 40, maxNewTokens - 1]) {
      const inputIds = Int32Array.from([...prompt.inputIds, ...ids.subarray(0, at)]);
      const expected = nextLogProbs(model, { inputIds, images: prompt.images });
      const best = Math.max(...expected);
      assert.ok(Math.abs((expected[ids[at] as number] as number) - best) < 1e-5);
      assert.ok(Math.abs((logProbs[at] as number) - best) < 1e-5);
    }
  }
});

test('a prompt writes the same alone and in company, greedy and sampled', () => {
  using model = smallModel();
  const settings = { maxNewTokens: 12, temperature: 1.5, seed: 4, stopIds: [] };
  const together = generate(model, PROMPTS, settings);
  const alone = generate(model, PROMPTS.slice(0, 1), settings);
  assert.deepEqual(alone[0]?.ids, together[0]?.ids);
  assert.notDeepEqual(generate(model, PROMPTS, { ...settings, seed: 5 }), together);
});

test('replies end at a stop id; the others go on', () => {
  using model = smallModel();
  const free = generate(model, PROMPTS, { maxNewTokens: 10, stopIds: [] });
  const stop = free[0]?.ids[3] as number;
  const seen: number[][] = PROMPTS.map(() => []);
  const stopped = generate(model, PROMPTS, {
    maxNewTokens: 10,
    stopIds: [stop],
    onToken: (prompt, id) => seen[prompt]?.push(id),
  });
  for (const [i, { ids, finish }] of stopped.entries()) {
    const all = [...(free[i]?.ids ?? [])];
    const end = all.indexOf(stop);
    assert.deepEqual([...ids], end < 0 ? all : all.slice(0, end));
    assert.equal(finish, end < 0 ? 'length' : 'stop');
    assert.deepEqual(seen[i], [...ids]);
  }
});

test('no prompts, no tokens, empty prompts; nothing is left behind', () => {
  using model = smallModel();
  const before = memory();
  assert.deepEqual(generate(model, [], { maxNewTokens: 5 }), []);
  assert.equal(generate(model, PROMPTS, { maxNewTokens: 0 })[0]?.ids.length, 0);
  generate(model, PROMPTS, { maxNewTokens: 5 });
  const empty = { inputIds: new Int32Array(), images: [] };
  assert.throws(() => generate(model, [empty], { maxNewTokens: 5 }), {
    code: 'data',
    message: /tokens in prompt 0, came none/,
  });
  assert.deepEqual(memory(), before);
});

test('scores are the log-probabilities of the targets, sum and mean per segment', () => {
  using model = smallModel();
  const segments = [randomSegment('s', 9), randomSegment('t', 21, []), randomSegment('u', 9)];
  const scores = scoreSegments(model, segments);
  for (const [i, segment] of segments.entries()) {
    const loss = tidy(() => noGrad(() => model.loss(makeBatch([segment])).lossSum.item()));
    const score = scores[i];
    assert.ok(score !== undefined && Math.abs(score.sum + loss) < 1e-4);
    assert.equal(score.mean, score.sum / score.numTargets);
  }
  const silent = { inputIds: segments[0]?.inputIds ?? new Int32Array(), images: [] };
  const text = { inputIds: silent.inputIds.filter((id) => id !== 5), images: [] };
  assert.deepEqual(scoreSegments(model, [text]), [{ sum: 0, mean: 0, numTargets: 0 }]);
  assert.equal(tokenLogProbs(model, makeBatch([text])).length, 0);
});

test('sampling: greedy, top-k, top-p and frequencies', () => {
  const logits = Float32Array.from([1, 3, 2, -1]);
  const base = { temperature: 1, topK: 0, topP: 1, seed: 1 };
  const weights = [...logits].map(Math.exp);
  const total = weights.reduce((a, b) => a + b, 0);
  const greedy = sampleToken(logits, { ...base, temperature: 0 }, 0, 0);
  assert.equal(greedy.id, 1);
  assert.ok(Math.abs(greedy.logProb - Math.log((weights[1] as number) / total)) < 1e-6);
  const counts = (options: typeof base): number[] => {
    const out = [0, 0, 0, 0];
    for (let step = 0; step < 4000; step++) {
      const { id } = sampleToken(logits, options, 7, step);
      out[id] = (out[id] as number) + 1;
    }
    return out.map((count) => count / 4000);
  };
  for (const [id, share] of counts(base).entries()) {
    assert.ok(Math.abs(share - (weights[id] as number) / total) < 0.03);
  }
  assert.deepEqual(counts({ ...base, topK: 1 }), [0, 1, 0, 0]);
  const two = counts({ ...base, topP: 0.8 });
  assert.ok(two[0] === 0 && two[3] === 0 && (two[2] as number) > 0.1);
});
