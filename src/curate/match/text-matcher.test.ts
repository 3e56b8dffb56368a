// The matcher against slow ones: word by word with a set of names, character by character.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createRandom } from '../../core/hash.ts';
import { createAutomaton } from './automaton.ts';
import { singulars } from './plurals.ts';
import { createTextMatcher } from './text-matcher.ts';

/** The rule in its plainest form: of three, two, one words the longest that a set has. */
function slowMatch(text: string, names: readonly string[]): string[] {
  const words =
    text
      .toLowerCase()
      .replaceAll('’', "'")
      .match(/[a-z']+|[^a-z'\s-]+/g) ?? [];
  const found = new Set<string>();
  for (let at = 0; at < words.length; ) {
    const match = [3, 2, 1].flatMap((length) => {
      if (at + length > words.length) return [];
      const head = words.slice(at, at + length - 1);
      const forms = singulars(words[at + length - 1] ?? '');
      const name = forms
        .map((last) => [...head, last].join(' '))
        .find((one) => names.includes(one));
      return name === undefined ? [] : [{ name, length }];
    })[0];
    if (match !== undefined) found.add(match.name);
    at += match?.length ?? 1;
  }
  return [...found];
}

test('words: equal to the plain rule on random texts', () => {
  const random = createRandom('words');
  const syllables = ['cat', 'man', 'fly', 'leaf', 'glass', 'box', 'os', "o'", 'fire'];
  const word = (): string =>
    random.pick(syllables) + (random.next() < 0.3 ? random.pick(syllables) : '');
  const names = [
    ...new Set(
      Array.from({ length: 60 }, () => Array.from({ length: 1 + random.int(3) }, word).join(' ')),
    ),
  ];
  const matcher = createTextMatcher(names.map((name, id) => [name, id]));
  const ends = ['', '', 's', 'es', "'s", '’', 'ies', 'men', 'ves', 'É', '7'];
  const gaps = [' ', ' ', '-', ', ', '  ', '. ', '\n', ' & '];
  let numFound = 0;
  for (let i = 0; i < 3000; i++) {
    const tokens = Array.from({ length: random.int(9) }, () => {
      const whole = random.next() < 0.4 ? random.pick(names) : word();
      const cut = random.next() < 0.2 ? whole.slice(0, -1) : whole;
      const cased = random.next() < 0.2 ? cut.toUpperCase() : cut;
      return cased + random.pick(ends) + random.pick(gaps);
    });
    const text = tokens.join('');
    const found = Array.from(matcher.match(text), (id) => names[id] ?? '');
    assert.deepEqual(found, slowMatch(text, names), text);
    numFound += found.length;
  }
  assert.ok(numFound > 3000, `${numFound}`);
});

test('characters: leftmost, then longest, as trying every name at every place', () => {
  const random = createRandom('characters');
  const letters = [...'山水火木'];
  const draw = (most: number): string =>
    Array.from({ length: 1 + random.int(most) }, () => random.pick(letters)).join('');
  for (let round = 0; round < 40; round++) {
    const names = [...new Set(Array.from({ length: 1 + random.int(12) }, () => draw(5)))];
    const automaton = createAutomaton(names.map((name, id) => [name, id]));
    for (let i = 0; i < 50; i++) {
      const text = draw(30);
      const expected: string[] = [];
      for (let at = 0; at < text.length; ) {
        const here = names.filter((name) => text.startsWith(name, at));
        const longest = here.toSorted((a, b) => b.length - a.length)[0];
        if (longest !== undefined) expected.push(longest);
        at += longest?.length ?? 1;
      }
      const found: string[] = [];
      const codes = Uint16Array.from(text, (char) => char.charCodeAt(0));
      automaton.match(codes, 0, codes.length, (id) => found.push(names[id] ?? ''));
      assert.deepEqual(found, expected, `${names} in ${text}`);
    }
  }
});

test('labels of several languages lead to one concept', () => {
  const names = ['dog', 'hot dog', 'mount fuji', 'route 66'];
  const labels: [string, number][] = [
    ['dog', 0],
    ['hot dog', 1],
    ['mount fuji', 2],
    ['route 66', 3],
    ['Hund', 0],
    ['cão', 0],
    ['собака', 0],
    ['犬', 0],
    ['สุนัข', 0],
    ['富士山', 2],
  ];
  const matcher = createTextMatcher(labels);
  const cases: [string, string[]][] = [
    ['Ein HUND, kein Schäferhund', ['dog']],
    ['Um cão e um hot dog', ['dog', 'hot dog']],
    ['Моя СОБАКА', ['dog']],
    ['富士山と犬がいる', ['mount fuji', 'dog']],
    ['สุนัขสีดำ', ['dog']],
    ['on Route 66 with two dogs', ['route 66', 'dog']],
    ['Hunde cãozinho', []],
    ['', []],
  ];
  for (const [text, expected] of cases) {
    assert.deepEqual(
      Array.from(matcher.match(text), (id) => names[id]),
      expected,
      text,
    );
  }
});

test('texts of any length and any signs', () => {
  const matcher = createTextMatcher([['dog', 0]]);
  assert.deepEqual([...matcher.match(`${'x'.repeat(100_000)} ${'dog '.repeat(5000)}`)], [0]);
  assert.deepEqual([...matcher.match('\u0000\ud800 dog\udfff 🐶')], [0]);
  assert.deepEqual([...createTextMatcher([]).match('dog')], []);
});
