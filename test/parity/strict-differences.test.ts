// The table of docs/eval-scorers.md, row by row: what strict does otherwise than lmms-eval.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import {
  type AnsweredItem,
  FAMILIES,
  type Profile,
  scoreReply,
} from '../../src/eval/scorers/scorer.ts';
import { SCORING_NAMES, SCORINGS } from '../../src/eval/scorers/scorings.ts';

const page = readFileSync(new URL('../../docs/eval-scorers.md', import.meta.url), 'utf8');
const rows = page
  .split('\n')
  .filter((line) => SCORING_NAMES.some((name) => line.startsWith(`| ${name} `)))
  .map((line) =>
    line
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );

function verdict(
  name: (typeof SCORING_NAMES)[number],
  text: string,
  item: AnsweredItem,
  profile: Profile,
): string {
  const mark = scoreReply(SCORINGS[name], { text }, item, profile);
  if (mark.needsJudge) return 'judge';
  if (mark.faults.includes('random-fallback')) return 'drawn';
  return String(Math.round(mark.score * 1000) / 1000);
}

for (const [scoring = '', gold = '', reply = '', ...verdicts] of rows) {
  test(`${scoring}: ${reply} for ${gold}`, () => {
    const name = SCORING_NAMES.find((one) => one === scoring);
    assert.ok(name);
    const [, answer = '', column, value] = /^`([^`]*)`(?: (\w+)=(\w+))?$/.exec(gold) ?? [];
    const item: AnsweredItem = {
      uid: 'row',
      answers: [answer],
      options: name === 'mathvision' ? [] : ['cat', 'dog', 'fox', 'hen'],
      question: 'How many?',
      columns: column === undefined || value === undefined ? {} : { [column]: value },
    };
    const text = reply.replace(/^`|`$/g, '');
    const found = (['strict', 'lmms-v0.5', 'lmms-head'] as const).map((profile) =>
      verdict(name, text, item, profile),
    );
    assert.deepEqual(found, verdicts.slice(0, 3));
    assert.notEqual(found[0] === found[1] && found[1] === found[2], true, 'no difference');
  });
}

test('the table has a row for every scoring with rules of its own', () => {
  const named = new Set(rows.map(([scoring]) => scoring));
  // mmmu-pro differs as mmmu does; CharXiv is judged.
  const without = SCORING_NAMES.filter((name) => !named.has(name));
  assert.deepEqual(without, ['mmmu-pro', 'charxiv']);
  assert.equal(new Set(SCORING_NAMES.map((name) => SCORINGS[name].family)).size, FAMILIES.length);
});
