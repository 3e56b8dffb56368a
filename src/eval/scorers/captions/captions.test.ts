// BLEU-4 and CIDEr-D against sacrebleu and pycocoevalcap on random corpora, and at their ends.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { bleu4, type CaptionPair } from './bleu.ts';
import { ciderD } from './cider.ts';
import { captionWords } from './ngrams.ts';

interface Corpus {
  readonly pairs: readonly CaptionPair[];
  readonly bleu: number;
  readonly cider: number;
}
const golden = new URL('../../../../test/parity/golden/captions.json', import.meta.url);

test('equal to the Python packages on random corpora', () => {
  const corpora: Corpus[] = JSON.parse(readFileSync(golden, 'utf8'));
  assert.equal(corpora.length, 12);
  for (const { pairs, bleu, cider } of corpora) {
    assert.ok(Math.abs(bleu4(pairs) - bleu) < 1e-9, `${bleu4(pairs)} and ${bleu}`);
    assert.ok(Math.abs(ciderD(pairs) - cider) < 1e-9, `${ciderD(pairs)} and ${cider}`);
  }
});

test('the ends: the reference itself, nothing, nothing in common', () => {
  const words = captionWords('A small red cat sits on the table.');
  const other = captionWords('Two big dogs run under a blue sky today.');
  const same = [words, other].map((candidate) => ({ candidate, references: [candidate] }));
  assert.ok(Math.abs(bleu4(same) - 1) < 1e-12);
  assert.ok(Math.abs(ciderD(same) - 10) < 1e-9);
  const turned = [
    { candidate: words, references: [captionWords('nothing like it')] },
    { candidate: [], references: [other] },
  ];
  assert.equal(bleu4(turned), 0);
  assert.equal(ciderD(turned), 0);
  assert.equal(ciderD([]), 0);
  assert.deepEqual(captionWords("It's a T-shirt, 3 ½!"), ["it's", 'a', 't-shirt', '3', '1', '2']);
});
