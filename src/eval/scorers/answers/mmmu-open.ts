// MMMU's open questions: candidate answers out of a reply, and their comparison with the gold.
import { float, numCharacters, round, strip, stripCharacter } from '../python.ts';

const INDICATORS = [
  'could be ',
  'so ',
  'is ',
  'thus ',
  'therefore ',
  'final ',
  'answer ',
  'result ',
];
const TRIVIAL = [':', ',', '.', '!', '?', ';', "'"];

/** A normalised answer: a number rounded to two places, or lower-case text. */
export type OpenValue = number | string;

/** The candidates of the original, each once, in the order they are found. */
export function openCandidates(reply: string): OpenValue[] {
  const responses = keyResponses(reply);
  const texts = [...responses, ...responses.flatMap(numbersIn)];
  return [...new Set(texts.flatMap(normalValues))];
}

/**
 * Right if a text of the gold stands in a candidate text, or a candidate number equals the gold's.
 */
export function openMatches(gold: readonly string[], candidates: readonly OpenValue[]): boolean {
  const golds = gold.flatMap(normalValues);
  return candidates.some((candidate) =>
    typeof candidate === 'string'
      ? golds.some((value) => typeof value === 'string' && candidate.includes(value))
      : golds.some((value) => value === candidate),
  );
}

function keyResponses(reply: string): string[] {
  const text = stripCharacter(strip(reply), '.').toLowerCase();
  // The split at a full stop before a capital can no longer happen: the text is lower case.
  const pieces = text.split('\n');
  const found = pieces.flatMap((piece, index) => {
    const indicators = index === pieces.length - 1 ? [...INDICATORS, '='] : INDICATORS;
    let shortest: string | undefined;
    for (const indicator of indicators) {
      if (!piece.includes(indicator)) continue;
      const tail = strip(piece.split(indicator).at(-1) ?? '');
      if (!shortest || numCharacters(tail) < numCharacters(shortest)) shortest = tail;
    }
    return shortest && !TRIVIAL.includes(shortest) ? [shortest] : [];
  });
  return found.length > 0 ? found : [text];
}

const W = '[\\p{L}\\p{N}_]';
const EDGE = `(?:(?<=${W})(?!${W})|(?<!${W})(?=${W}))`;
const NUMBERS = [
  new RegExp(`-?${EDGE}\\p{Nd}{1,3}(?:,\\p{Nd}{3})+${EDGE}`, 'gu'),
  /-?\p{Nd}+(?:\.\p{Nd}+)?[eE][+-]?\p{Nd}+/gu,
  new RegExp(
    `-?(?:\\p{Nd}+\\.\\p{Nd}+|\\.\\p{Nd}+|\\p{Nd}+${EDGE})(?![eE][+-]?\\p{Nd}+)(?![,\\p{Nd}])`,
    'gu',
  ),
];

function numbersIn(text: string): string[] {
  return NUMBERS.flatMap((pattern) => text.match(pattern) ?? []);
}

function normalValues(text: string): OpenValue[] {
  const plain = strip(text);
  const number = float(plain.replaceAll(',', ''));
  if (number !== undefined) return [round(number, 2) + 0];
  const lower = plain.toLowerCase();
  return numCharacters(lower) === 1 ? [` ${lower}`, `${lower} `] : [lower];
}
