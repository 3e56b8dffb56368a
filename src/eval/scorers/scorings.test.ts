// Scoring by profile: outcomes, faults and aggregators of the contract.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { OneVisionError } from '../../core/errors.ts';
import { aggregate } from './aggregate.ts';
import { disagreements } from './disagreements.ts';
import { type AnsweredItem, PROFILES, type Profile, scoreReply } from './scorer.ts';
import { SCORING_NAMES, SCORINGS, type ScoringName } from './scorings.ts';

const item = (answers: string[], extra: Partial<AnsweredItem> = {}): AnsweredItem => ({
  uid: 'item-1',
  answers,
  options: ['cat', 'dog', 'fox', 'hen'],
  ...extra,
});
const mark = (name: ScoringName, text: string, of: AnsweredItem, profile?: Profile) =>
  scoreReply(SCORINGS[name], { text }, of, profile);

test('one stored reply, four profiles', () => {
  const gold = item(['D']);
  const reply = 'The answer is D';
  assert.equal(mark('cv-bench', reply, gold).score, 1);
  assert.equal(mark('cv-bench', reply, gold, 'lmms-v0.5').parsed, 'T');
  assert.equal(mark('mmmu-pro-vision', 'D.', gold, 'lmms-v0.5').score, 0);
  assert.deepEqual(mark('mmmu-pro-vision', 'D.', gold, 'lmms-v0.5').faults, ['raw-equality']);
  assert.equal(mark('mmmu-pro-vision', 'D.', gold, 'official').score, 1);
});

test('typed outcomes: nothing found is not wrong, a cut reply is truncated, a random draw is named', () => {
  const gold = item(['B']);
  assert.equal(mark('mmstar', 'B', gold).outcome, 'correct');
  assert.equal(mark('mmstar', 'C', gold).outcome, 'wrong');
  assert.equal(mark('mmstar', 'mumble', gold).outcome, 'unparsed');
  assert.equal(mark('mmstar', 'I cannot answer that.', gold).outcome, 'refused');
  const cut = scoreReply(SCORINGS.mmstar, { text: 'B. because', truncated: true }, gold);
  assert.deepEqual([cut.outcome, cut.score], ['truncated', 0]);
  const drawn = mark('mmmu-pro', 'mumble', gold, 'lmms-v0.5');
  assert.deepEqual([drawn.outcome, drawn.faults], ['unparsed', ['random-fallback']]);
  assert.equal(mark('mmmu-pro', 'mumble', gold, 'lmms-v0.5').parsed, drawn.parsed);
});

const scored = (scores: number[], columns: (index: number) => Record<string, string>) =>
  scores.map((score, index) => ({ uid: String(index), score, columns: columns(index) }));

test('five aggregators, each with its denominator', () => {
  const items = scored([1, 0, 1, 1], (index) => ({
    source: index < 1 ? 'ADE20K' : index < 2 ? 'COCO' : 'Omni3D',
    index: String(index < 2 ? 7 + index * 1e6 : 8 + (index - 2) * 1e6),
  }));
  assert.deepEqual(aggregate(items, { kind: 'mean' }), { value: 0.75, denominator: 4 });
  assert.deepEqual(aggregate(items, { kind: 'sum', total: 1000 }), {
    value: 0.003,
    denominator: 1000,
  });
  assert.equal(aggregate(items, { kind: 'macro', by: 'source' }).value, 2 / 3);
  assert.equal(aggregate(items, SCORINGS['cv-bench'].aggregators.official).value, 0.75);
  assert.deepEqual(aggregate(items, SCORINGS.mmbench.aggregators.strict), {
    value: 0.5,
    denominator: 2,
  });
});

test('WeMath: strict and loose points of composite problems', () => {
  const rows = (id: string, ...scores: number[]) =>
    scores.map((score, index) => ({
      uid: `${id}-${index}`,
      score,
      columns: {
        ID: id,
        key: index === scores.length - 1 ? '2steps_multi' : `2steps_${index + 1}`,
      },
    }));
  const items = [
    ...rows('mastery', 1, 1, 1),
    ...rows('rote', 1, 0, 1),
    ...rows('generalisation', 1, 1, 0),
    ...rows('knowledge', 1, 0, 0),
  ];
  const of = (mode: 'strict' | 'loose') =>
    aggregate(items, { kind: 'steps', id: 'ID', step: 'key', mode });
  assert.deepEqual(of('strict'), { value: 1.5 / 4, denominator: 4 });
  assert.deepEqual(of('loose'), { value: 2.5 / 4, denominator: 4 });
  const error = (run: () => unknown): void =>
    assert.throws(run, (thrown) => thrown instanceof OneVisionError && thrown.code === 'data');
  error(() => aggregate(items.slice(1), { kind: 'steps', id: 'ID', step: 'key', mode: 'strict' }));
  error(() => aggregate(items, { kind: 'macro', by: 'nothing' }));
  error(() => aggregate(items, { kind: 'macro', by: 'ID', weights: { absent: 1 } }));
  error(() => aggregate([], { kind: 'mean' }));
});

test('long replies: every scoring and profile is done in time', () => {
  const parts = [
    'A ',
    '(',
    ' ',
    '*',
    'answer ',
    'the answer is ',
    'so ',
    '1',
    'B\n',
    '<answer>',
    '{',
  ];
  const long = parts.flatMap((part) => [part.repeat(5000), `B${part.repeat(5000)}x`]);
  const start = performance.now();
  for (const name of SCORING_NAMES) {
    for (const profile of PROFILES) for (const text of long) mark(name, text, item(['B']), profile);
  }
  const seconds = (performance.now() - start) / 1000;
  assert.ok(seconds < 60, `${seconds.toFixed(1)} s`);
});

test('disagreements: items that profiles score otherwise, counted by pair', () => {
  const gold = item(['D']);
  const replies = ['D', 'The answer is D', 'D.', 'Dogs and foxes'];
  const found = disagreements(
    SCORINGS['cv-bench'],
    replies.map((text, index) => ({ reply: { text }, item: { ...gold, uid: String(index) } })),
  );
  assert.deepEqual(
    found.rows.map(({ uid }) => uid),
    ['1', '3'],
  );
  const pair = found.pairs.find((one) => one.first === 'strict' && one.second === 'lmms-v0.5');
  assert.deepEqual([pair?.firstHigher, pair?.secondHigher], [1, 1]);
  assert.deepEqual([found.items, found.means.strict], [4, 0.75]);
  assert.equal(disagreements(SCORINGS.mmstar, []).items, 0);
});
