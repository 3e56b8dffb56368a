// Our aggregators and judge parsing against lmms-eval's: the same number from the same scores.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { aggregate } from '../../src/eval/scorers/aggregate.ts';
import { parseCharxiv } from '../../src/eval/scorers/judge/charxiv.ts';
import { PROFILES } from '../../src/eval/scorers/scorer.ts';
import { SCORINGS, type ScoringName } from '../../src/eval/scorers/scorings.ts';

interface Golden {
  readonly cases: readonly {
    readonly scoring: ScoringName;
    readonly profile: string;
    readonly items: readonly (readonly [number, Record<string, string>])[];
    readonly value: number;
  }[];
  readonly verdicts: readonly (readonly [string, number, number[] | null])[];
}
const golden: Golden = JSON.parse(
  readFileSync(new URL('golden/aggregates.json', import.meta.url), 'utf8'),
);

test('every aggregate is lmms-eval’s', () => {
  for (const { scoring, profile, items, value } of golden.cases) {
    const rows = items.map(([score, columns], index) => ({ uid: String(index), score, columns }));
    const named = PROFILES.find((name) => name === profile);
    const how =
      profile === 'loose'
        ? ({ kind: 'steps', id: 'ID', step: 'key', mode: 'loose' } as const)
        : SCORINGS[scoring].aggregators[named ?? 'strict'];
    const ours = aggregate(rows, how).value;
    assert.ok(Math.abs(ours - value) < 1e-9, `${scoring} ${profile}: ${ours} against ${value}`);
  }
});

test('every judge’s reply is read as lmms-eval reads it', () => {
  for (const [text, count, scores] of golden.verdicts) {
    const ours = parseCharxiv(text, count)?.map(({ score }) => score) ?? null;
    assert.deepEqual(ours, scores, text);
  }
});
