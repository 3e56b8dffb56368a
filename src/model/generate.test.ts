// Generation with a cache equals the full forward; sampling follows its settings.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { IMAGE_TOKEN, randomSegment, SMALL, smallModel } from '../../test/support/model.ts';
import { createRandom } from '../core/hash.ts';
import { memory, noGrad, type Tensor, tidy } from '../tensor/index.ts';
import * as ops from '../tensor/ops.ts';
import { createTokenizer } from '../text/tokenizer.ts';
import { trainTokenizer } from '../text/train-bpe.ts';
import { makeBatch, NO_TARGET, type Segment } from './batch.ts';
import { generate, generateText } from './generate.ts';
import { Generation, type Reply } from './generation/generation.ts';
import type { OneVision } from './onevision.ts';
import { scoreReplies } from './scoring/score-replies.ts';
import { tokenLogProbs } from './scoring/token-log-probs.ts';

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
  // Never the image or video token: the full forward would look for its image.
  const head = model.namedParameters().get('lm_head.weight') as Tensor;
  tidy(() => void ops.zero_(ops.narrow(head, 0, IMAGE_TOKEN, 2)));
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

test('replies to shared prompts score as each after its own prompt in a full forward', () => {
  using model = smallModel();
  const [p, q, r] = PROMPTS as [Segment, Segment, Segment];
  const other = { inputIds: p.inputIds, images: randomSegment('other', 7, [[2, 4]]).images };
  const random = createRandom('replies');
  const given = [p, q, p, r, other, q, p, r, p].map((prompt, i) => {
    return { prompt, reply: Int32Array.from({ length: i % 5 }, () => 7 + random.int(33)) };
  });
  const expected = given.map(({ prompt, reply }) => {
    const { images } = prompt;
    const inputIds = Int32Array.from([...prompt.inputIds, ...reply]);
    const targets = Int32Array.from([...inputIds.subarray(1), NO_TARGET]);
    targets.fill(NO_TARGET, 0, prompt.inputIds.length - 1);
    const logProbs = tokenLogProbs(model, makeBatch([{ inputIds, targets, images }]));
    return logProbs.reduce((sum, x) => sum + x, 0);
  });
  assert.ok(Math.abs((expected[4] ?? 0) - (expected[0] ?? 0)) > 1, 'pictures matter');
  const before = memory();
  for (const maxTokens of [1, 25, 1000]) {
    const sums = scoreReplies(model, given, maxTokens);
    for (const [i, sum] of sums.entries()) {
      assert.ok(Math.abs(sum - (expected[i] ?? 0)) < 1e-4, `${maxTokens} ${i}: ${sum}`);
    }
  }
  assert.deepEqual(memory(), before);
  assert.deepEqual(scoreReplies(model, [], 10), []);
  assert.equal(tokenLogProbs(model, makeBatch([q])).length, 0);
});

test('prompts that come later, and one that is cancelled, change nothing for the others', () => {
  using model = smallModel();
  const options = { maxNewTokens: 9, stopIds: [], temperature: 1, seed: 2 };
  const expected = generate(model, PROMPTS, options);
  using generation = new Generation(model);
  const first = generation.add(PROMPTS.slice(0, 1), options);
  generation.step();
  const rest = generation.add(PROMPTS.slice(1), [options, { ...options, maxNewTokens: 3 }]);
  generation.step();
  const extra = generation.add(PROMPTS.slice(0, 1), options);
  generation.cancel(extra[0] as Reply);
  assert.equal(extra[0]?.ids.length, 1);
  while (generation.numActive > 0) generation.step();
  const all = [...first, ...rest].map(({ ids }) => ids);
  const full = expected.map(({ ids }) => [...ids]);
  assert.deepEqual(all, [full[0], full[1], full[2]?.slice(0, 3)]);
});

test('a callback that returns true ends the reply after that token', () => {
  using model = smallModel();
  const onToken = (prompt: number): boolean => prompt === 1;
  const completions = generate(model, PROMPTS, { maxNewTokens: 4, stopIds: [], onToken });
  const seen = completions.map(({ ids, finish }) => [ids.length, finish]);
  assert.deepEqual(seen, [
    [4, 'length'],
    [1, 'stop'],
    [4, 'length'],
  ]);
});

test('text: streamed in pieces, ended by a stop text that crosses tokens', () => {
  const texts = ['a red fox', 'the green owl sees it', 'x y z'];
  const tokenizer = createTokenizer(trainTokenizer([...texts, ...texts], 300));
  const { vocabSize } = tokenizer;
  using model = smallModel({ config: { ...SMALL, text: { ...SMALL.text, vocabSize } } });
  const head = model.namedParameters().get('lm_head.weight') as Tensor;
  tidy(() => void ops.zero_(ops.narrow(head, 0, 256, vocabSize - 256)));
  const options = { maxNewTokens: 24, stopIds: [], temperature: 0.7, seed: 3 };
  const free = generateText(model, tokenizer, PROMPTS, options);
  const whole = tokenizer.decode(free[0]?.ids ?? [], { skipSpecialTokens: true });
  assert.equal(free[0]?.text, whole);
  const stop = whole.slice(5, 8);
  const pieces: string[] = [];
  const [stopped] = generateText(model, tokenizer, PROMPTS.slice(0, 1), {
    ...options,
    stop: ['never there', stop],
    onText: (_prompt, piece) => pieces.push(piece),
  });
  assert.equal(stopped?.text, whole.slice(0, whole.indexOf(stop)));
  assert.equal(stopped?.finish, 'stop');
  assert.equal(pieces.join(''), stopped?.text);
  assert.ok((stopped?.ids.length ?? 99) < 24);
});
