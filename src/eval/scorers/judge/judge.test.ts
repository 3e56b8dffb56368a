// Judges: recorded once, replayed offline, every failure typed, verdicts read as lmms-eval reads them.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { OneVisionError } from '../../../core/errors.ts';
import { openCache } from '../../../endpoint/answers.ts';
import { parseCharxiv } from './charxiv.ts';
import { parseVerdict } from './extraction.ts';
import { type AskJudge, createJudge } from './judge.ts';
import { judgeMarks, type Pending } from './judge-marks.ts';

const folder = mkdtempSync(join(tmpdir(), 'judge-'));
after(() => rmSync(folder, { recursive: true }));
let files = 0;
const record = () => openCache(join(folder, `${files++}.sqlite`));

const figure = (uid: string, template: string, reply: string, truth: string): Pending => ({
  text: reply,
  item: { uid, answers: [truth], question: 'Title?', columns: { template } },
});
/** Grades by equality, as a perfect judge would. */
const perfect: AskJudge = async ({ prompt }) => {
  const verdicts: [string, unknown][] = [];
  for (const [, n, reply, truth] of prompt.matchAll(
    /Response (\d): (.*)\nGround truth \d: (.*)\n/g,
  )) {
    verdicts.push([`extract_answer_T${n}`, reply], [`score_T${n}`, reply === truth ? 1 : 0]);
  }
  return JSON.stringify(Object.fromEntries(verdicts));
};

test('CharXiv: five of one template a call, recorded, replayed without the network', async () => {
  using cassette = record();
  const pending = [
    ...Array.from({ length: 7 }, (_, k) => figure(`a${k}`, '1', k % 2 ? 'x' : 'y', 'x')),
    figure('b', '18', '2 by 3', '2 by 3'),
  ];
  const judge = createJudge({ model: 'judge-2024', record: cassette, ask: perfect });
  const marks = await judgeMarks('charxiv', pending, 'strict', judge);
  assert.deepEqual(
    marks.map(({ score }) => score),
    [0, 1, 0, 1, 0, 1, 0, 1],
  );
  assert.deepEqual(judge.figures, { asked: 3, replayed: 0, failed: 0 });
  const replay = createJudge({ model: 'judge-2024', record: cassette });
  assert.deepEqual(await judgeMarks('charxiv', pending, 'strict', replay), marks);
  assert.equal(replay.figures.replayed, 3);
  const other = createJudge({ model: 'judge-2025', record: cassette });
  const missing = await judgeMarks('charxiv', pending, 'strict', other);
  assert.ok(missing.every(({ outcome, score }) => outcome === 'judge-error' && score === 0));
});

test('a failing judge is an error, not a score; lmms-eval counts −1', async () => {
  using cassette = record();
  const fails = async (): Promise<string> => {
    throw new Error('429');
  };
  const judge = createJudge({ model: 'm', record: cassette, ask: fails });
  const pending = [figure('a', '1', 'x', 'x')];
  const [ours] = await judgeMarks('charxiv', pending, 'strict', judge);
  assert.deepEqual([ours?.outcome, ours?.score], ['judge-error', 0]);
  const [theirs] = await judgeMarks('charxiv', pending, 'lmms-v0.5', judge);
  assert.deepEqual([theirs?.score, theirs?.faults], [-1, ['judge-failure-counts']]);
  assert.equal(cassette.size, 0);
  const stop = async (): Promise<string> => {
    throw new OneVisionError('interrupted', 'stopped');
  };
  const stopped = createJudge({ model: 'm', record: cassette, ask: stop });
  await assert.rejects(judgeMarks('charxiv', pending, 'strict', stopped), /stopped/);
  assert.throws(() => createJudge({ model: ' ', record: cassette }), /name of a model/);
});

test('extraction: MathVista, MMBench, VL-RewardBench', async () => {
  using cassette = record();
  const says = (text: string) =>
    createJudge({ model: text || 'silent', record: cassette, ask: async () => text });
  const number: Pending = {
    text: 'There are 12.',
    item: { uid: 'n', answers: ['12'], columns: { answer_type: 'integer' } },
  };
  assert.equal((await judgeMarks('mathvista', [number], 'official', says('12')))[0]?.score, 1);
  const options = ['cat', 'dog'];
  const choice: Pending = { text: 'a hound', item: { uid: 'c', answers: ['B'], options } };
  assert.equal((await judgeMarks('mmbench', [choice], 'official', says('B')))[0]?.score, 1);
  assert.equal((await judgeMarks('mmbench', [choice], 'official', says('E')))[0]?.outcome, 'wrong');
  const drawn = (await judgeMarks('mmbench', [choice], 'official', says('hm')))[0];
  assert.deepEqual([drawn?.outcome, drawn?.faults], ['unparsed', ['random-fallback']]);
  const reward: Pending = { text: 'The first wins.', item: { uid: 'r', answers: ['1'] } };
  const verdict = await judgeMarks('vl-rewardbench', [reward], 'official', says('Answer 1.'));
  assert.equal(verdict[0]?.outcome, 'correct');
  assert.equal(parseVerdict('neither'), undefined);
});

test('verdicts: whole or none', () => {
  const text = (extra: object): string =>
    JSON.stringify({ extract_answer_T1: 'a', score_T1: 1, extract_answer_T2: 'b', ...extra });
  assert.deepEqual(parseCharxiv(text({ score_T2: 0 }), 2), [
    { extracted: 'a', score: 1 },
    { extracted: 'b', score: 0 },
  ]);
  assert.equal(parseCharxiv(`\`\`\`json\n${text({ score_T2: 1 })}\n\`\`\``, 2)?.length, 2);
  for (const bad of [
    '',
    'no',
    '[]',
    '3',
    text({}),
    text({ score_T2: 2 }),
    text({ score_T2: '1' }),
  ]) {
    assert.equal(parseCharxiv(bad, 2), undefined, bad);
  }
});
