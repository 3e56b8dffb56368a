// The identities change with every part of a score, and with nothing else.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Benchmark, ExactScorer, ReplyScorer } from './benchmark.ts';
import { askIdentity, rulesIdentity, scoreIdentity } from './identity.ts';

const decoding = { maxNewTokens: 16, temperature: 0 };
const reply: ReplyScorer = { kind: 'reply', scoring: 'mmstar', decoding };
const exact: ExactScorer = { kind: 'exact', normaliser: 'text', prompt: '{question}', decoding };
const benchmark: Benchmark = {
  name: 'x',
  title: 'X',
  data: 'x',
  scorer: reply,
  clusters: 'none',
};
const asked = { benchmark, data: 'd1', model: 'w1' };

/** All different, and different from the first. */
function assertDistinct(first: string, others: readonly string[]): void {
  assert.equal(new Set([first, ...others]).size, others.length + 1);
  assert.match(first, /^[\da-f]{16}$/);
}

test('asking: data, weights, rows, decoding and prompts count; order and words for people do not', () => {
  const of = (change: Partial<Benchmark>): string =>
    askIdentity({ ...asked, benchmark: { ...benchmark, ...change } });
  assertDistinct(askIdentity(asked), [
    askIdentity({ ...asked, data: 'd2' }),
    askIdentity({ ...asked, model: 'w2' }),
    askIdentity({ ...asked, limit: 5 }),
    of({ scorer: { ...reply, decoding: { ...decoding, maxNewTokens: 17 } } }),
    of({ scorer: exact }),
    of({ scorer: { ...exact, prompt: '{question} Briefly.' } }),
    of({ scorer: { ...exact, normaliser: 'number' } }),
    of({ name: 'y' }),
  ]);
  const turned = { temperature: 0, maxNewTokens: 16 };
  assert.equal(of({ scorer: { ...reply, decoding: turned } }), askIdentity(asked));
  assert.equal(of({ title: 'Y', licence: 'MIT', chance: 0.5 }), askIdentity(asked));
});

test('the score: asking, rules with version and profile, and judge count', () => {
  const parts = { asked: 'a1', rules: rulesIdentity(reply, 'strict') };
  assertDistinct(scoreIdentity(parts), [
    scoreIdentity({ ...parts, asked: 'a2' }),
    scoreIdentity({ ...parts, rules: rulesIdentity(reply, 'official') }),
    scoreIdentity({ ...parts, rules: rulesIdentity({ ...reply, scoring: 'ai2d' }, 'strict') }),
    scoreIdentity({ ...parts, rules: rulesIdentity(exact, 'strict') }),
    scoreIdentity({ ...parts, judge: 'gpt' }),
  ]);
  assert.match(rulesIdentity(reply, 'strict'), /^mmstar\/\d+\/strict$/);
});
