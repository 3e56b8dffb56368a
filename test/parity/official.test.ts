// Our official profiles against VLMEvalKit's own functions: the same score for every stored reply.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { scoreReply } from '../../src/eval/scorers/scorer.ts';
import { SCORING_NAMES, SCORINGS } from '../../src/eval/scorers/scorings.ts';
import { readGoldenGroups, readOfficialScores } from '../support/golden-scorers.ts';

const groups = readGoldenGroups();
const official = readOfficialScores();

/** Learned by VLMEvalKit after the version that made the scores. */
const LATER = /answer is\s*\**\s*\(?[A-Z]/i;

for (const name of SCORING_NAMES.filter((one) => one in official)) {
  test(`${name}: every score of official is VLMEvalKit's`, (t) => {
    const wrong: string[] = [];
    let pairs = 0;
    let later = 0;
    groups
      .filter(({ scoring }) => scoring === name)
      .forEach(({ scoring: _, replies, v05: __, head: ___, ...item }, group) => {
        replies.forEach((text, index) => {
          const expected = official[name]?.[group]?.[index] ?? null;
          const mark = scoreReply(SCORINGS[name], { text }, { uid: '', ...item }, 'official');
          const ours = mark.needsJudge || mark.parsed === 'Z' ? null : mark.score;
          pairs += 1;
          if (Math.abs((ours ?? -1) - Number(expected ?? -1)) < 1e-9) return;
          if (SCORINGS[name].family === 'choice' && LATER.test(text)) later += 1;
          else wrong.push(JSON.stringify({ text, item, expected, ours, parsed: mark.parsed }));
        });
      });
    t.diagnostic(`${pairs} pairs, ${later} by the later rule`);
    assert.ok(pairs >= 300, `only ${pairs} pairs`);
    assert.deepEqual(wrong.slice(0, 20), [], `${wrong.length} of ${pairs} differ`);
  });
}

test('eleven scorings have scores of VLMEvalKit', () => {
  assert.equal(Object.keys(official).length, 11);
});
