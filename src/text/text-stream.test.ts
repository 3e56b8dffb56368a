// Streamed text equals the decoded whole at every cut; stop texts are found across tokens.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createRandom } from '../core/hash.ts';
import { TextStream } from './text-stream.ts';
import { createTokenizer } from './tokenizer.ts';
import { trainTokenizer } from './train-bpe.ts';

const texts = ['a red fox', 'ein Füchslein 🦊 im Schnee', 'User: what? Answer: 狐'];
const tokenizer = createTokenizer(trainTokenizer([...texts, ...texts], 330));

function stream(
  ids: Iterable<number>,
  stops: readonly string[] = [],
): TextStream & { pieces: string[] } {
  const out = Object.assign(new TextStream(tokenizer, stops), { pieces: [] as string[] });
  for (const id of ids) out.pieces.push(out.push(id));
  out.pieces.push(out.end());
  assert.equal(out.pieces.join(''), out.text);
  return out;
}

test('pieces add up to the decoded text; no piece holds half a character', () => {
  for (const text of texts) {
    const ids = tokenizer.encode(text);
    const { pieces } = stream(ids);
    assert.equal(pieces.join(''), text);
    for (const piece of pieces) assert.ok(!piece.includes('\ufffd'));
  }
});

test('random ids, broken characters and control tokens among them, decode as in one piece', () => {
  const random = createRandom('stream');
  for (let trial = 0; trial < 200; trial++) {
    const ids = Array.from({ length: 12 }, () => random.int(tokenizer.vocabSize));
    const whole = tokenizer.decode(ids, { skipSpecialTokens: true });
    assert.equal(stream(ids).text, whole, ids.join());
  }
});

test('a stop text ends the stream wherever token borders lie, the earliest first', () => {
  const ids = tokenizer.encode('a red fox. User: what?');
  for (const [stops, expected] of [
    [['User:'], 'a red fox. '],
    [['fox. U', 'x. '], 'a red fo'],
    [['a red'], ''],
    [['Users', ''], 'a red fox. User: what?'],
    [['?'], 'a red fox. User: what'],
  ] as const) {
    const out = stream(ids, stops);
    assert.equal(out.text, expected);
    assert.equal(out.isStopped, expected.length < 22);
    assert.equal(out.push(ids[0] as number), out.isStopped ? '' : out.text.slice(-1) && 'a');
  }
});

test('what may become a stop text is held back until it is settled', () => {
  const held = new TextStream(tokenizer, ['ab!']);
  const given = [...'xaabab?'].map((char) => {
    const [id = 0] = tokenizer.encode(char);
    return held.push(id);
  });
  assert.equal(given.join(''), 'xaabab?');
  assert.deepEqual(given.slice(0, 2), ['x', '']);
});
