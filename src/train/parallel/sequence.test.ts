// Packs that cannot be cut over ranks are refused by name.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SMALL } from '../../../test/support/model.ts';
import { checkSlices, openRanks } from './sequence.ts';

test('ranks and heads that do not divide are refused, and images that cannot be dealt', () => {
  const refused = (message: RegExp): object => ({ code: 'recipe', message });
  checkSlices(4, 2, SMALL);
  assert.throws(() => checkSlices(3, 2, SMALL), refused(/sequenceRanks to divide the 3 ranks/));
  assert.throws(() => checkSlices(6, 3, SMALL), refused(/to divide the 4 heads of attention/));
  const shifted = { ...SMALL, vision: { ...SMALL.vision, hfCompatMultiImage: true } };
  assert.throws(() => checkSlices(2, 2, shifted), refused(/hfCompatMultiImage/));
  const alone = (): unknown => openRanks(undefined, { sequenceRanks: 2 }, SMALL);
  assert.throws(alone, refused(/divide the 1 ranks, came 2/));
  assert.equal(openRanks(undefined, { sequenceRanks: 1 }, SMALL).size, 1);
});
