// The identity changes with every part of a score, and with nothing else.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type ScoreParts, scoreIdentity, scoringIdentity } from './identity.ts';

const parts: ScoreParts = {
  data: 'd1',
  prompt: 'p1',
  decoding: { maxNewTokens: 16, temperature: 0 },
  model: 'w1',
  scoring: 'mmstar',
  profile: 'strict',
};

test('every part counts, the order of keys does not', () => {
  const changed: Partial<ScoreParts>[] = [
    { data: 'd2' },
    { prompt: 'p2' },
    { decoding: { maxNewTokens: 17, temperature: 0 } },
    { model: 'w2' },
    { scoring: 'seed-bench' },
    { profile: 'official' },
    { judge: 'gpt' },
  ];
  const identities = changed.map((change) => scoreIdentity({ ...parts, ...change }));
  assert.equal(new Set([scoreIdentity(parts), ...identities]).size, changed.length + 1);
  const turned = { ...parts, decoding: { temperature: 0, maxNewTokens: 16 } };
  assert.equal(scoreIdentity(turned), scoreIdentity(parts));
  assert.equal(scoringIdentity('mmstar', 'strict').split('/').length, 3);
});
