// Our lmms profiles against lmms-eval itself: the same score for every stored pair of reply and gold.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { type Profile, scoreReply } from '../../src/eval/scorers/scorer.ts';
import { SCORING_NAMES, SCORINGS, type ScoringName } from '../../src/eval/scorers/scorings.ts';
import { fingerprint, readGoldenGroups } from '../support/golden-scorers.ts';

const groups = readGoldenGroups();

/** Pairs where the score of ours is not lmms-eval's. */
function differences(name: ScoringName, profile: Profile): { pairs: number; wrong: string[] } {
  const wrong: string[] = [];
  let pairs = 0;
  for (const { scoring, replies, v05, head, ...item } of groups) {
    const scores = profile === 'lmms-v0.5' ? v05 : head;
    if (scoring !== name || scores === undefined) continue;
    replies.forEach((text, index) => {
      const expected = scores[index];
      if (typeof expected === 'string') return; // lmms-eval raises
      pairs += 1;
      const mark = scoreReply(SCORINGS[name], { text }, { uid: `${index}`, ...item }, profile);
      const open = mark.needsJudge || mark.faults.includes('random-fallback');
      const ours = open ? null : mark.score;
      const same =
        expected === null ? ours === null : Math.abs((ours ?? -1) - (expected ?? 0)) < 1e-9;
      if (!same) wrong.push(JSON.stringify({ text, item, expected, ours, parsed: mark.parsed }));
    });
  }
  return { pairs, wrong };
}

/** lmms-eval 0.5.0 has no such task; ours stands in with the rule of 0.7.3. */
const LATER = ['cv-bench', 'pixmo-count', 'countbench', 'countbenchqa', 'wemath'];
/** No function of lmms-eval scores these, or none without a model's judgement. */
const ELSEWHERE = ['charxiv', 'box'];

for (const profile of ['lmms-v0.5', 'lmms-head'] as const) {
  for (const name of SCORING_NAMES) {
    if (ELSEWHERE.includes(name) || (profile === 'lmms-v0.5' && LATER.includes(name))) continue;
    test(`${name}: every score of ${profile} is lmms-eval's`, (t) => {
      const { pairs, wrong } = differences(name, profile);
      t.diagnostic(`${pairs} pairs`);
      assert.ok(pairs >= 150, `only ${pairs} pairs`);
      assert.deepEqual(wrong.slice(0, 30), [], `${wrong.length} of ${pairs} differ`);
    });
  }
}

test('at least 20,000 distinct pairs are compared', () => {
  const pairs = new Set(
    groups.flatMap(({ scoring, answers, options, replies }) =>
      replies.map((reply) => JSON.stringify([scoring, answers, options, reply])),
    ),
  );
  assert.ok(pairs.size >= 20_000, `${pairs.size} pairs`);
});

test('a scoring that behaves otherwise has another version', () => {
  const file = new URL('golden/scoring-versions.json', import.meta.url);
  const pins: Record<string, unknown> = JSON.parse(readFileSync(file, 'utf8'));
  const now = SCORING_NAMES.map((name) => [
    name,
    { version: SCORINGS[name].version, behaviour: fingerprint(name, groups) },
  ]);
  assert.deepEqual(
    Object.fromEntries(now),
    pins,
    'raise the version in scorings.ts, then run node test/parity/pin-scorers.ts',
  );
});
