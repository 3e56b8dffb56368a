// Our own letter: only what the reply states as its answer. Prose, hedges and refusals give none.
import { answerPart, lastBoxed } from '../reply-parts.ts';
import { letters as lettersOf } from './letter.ts';

/** A letter with marks around it is not longer; keeps every pattern linear. */
const LONGEST_MARKED = 200;
/** Marks that may stand around a letter without changing what is said. */
const OPEN = '[\\s("\'“‘*_`\\[{【（:：]*';
const CLOSE = '[\\s)"\'”’*_`\\]}】）]*';
/** Not inside a word or a number: "B2" and "Bus" are no B. */
const ALONE = '(?![\\p{L}\\p{N}])';
const STATEMENT = [
  '(?:answer|option|choice|response)(?:\\s+(?:is|would\\s+be|must\\s+be|should\\s+be|will\\s+be)|\\s*[*_]*[:：])',
  "(?:i(?:\\s+would|[’']d)?\\s+(?:choose|pick|select|go\\s+with|say))",
  '答案(?:应该|应該)?(?:是|为|為|[:：])',
  '(?:应|應)?(?:选择|選擇|选|選)',
  '(?:정답|답)(?:은|이|[:：])',
  '(?:答え|正解)(?:は|[:：])',
].join('|');
/** Ways of ending: only at the end of the reply or of a sentence. */
const CONCLUSION = "(?:it(?:\\s+is|[’']s|\\s+must\\s+be)|so|thus|therefore|hence)";

/**
 * The letter that the reply states: as the whole reply, in front of it (`B. cat`), in a statement
 * ("the answer is B", `\boxed{B}`, 答案是B; of several the last), or as an option's text. Undefined
 * where it states none, or two at once.
 */
export function strictLetter(reply: string, options: readonly string[]): string | undefined {
  const letters = lettersOf(options.length).join('');
  if (letters === '') return undefined;
  const text = statedPart(reply).trim();
  if (text === '') return undefined;
  const stated = whole(text, letters) ?? statement(text, letters);
  if (stated !== undefined) return stated === '' ? undefined : stated;
  return leading(text, letters) ?? concluding(text, letters) ?? optionText(text, options);
}

/** The last `<answer>…</answer>` or `\boxed{…}`; else all of it. */
function statedPart(reply: string): string {
  const { text } = answerPart(reply);
  return (lastBoxed(text) ?? text).replace(/\\text(?:bf|rm)?\s?\{([^{}]*)\}/g, '$1');
}

function whole(text: string, letters: string): string | undefined {
  if (text.length > LONGEST_MARKED) return undefined;
  const form = new RegExp(
    `^${OPEN}(?:(?:option|answer|choice)\\s+)?([${letters}])${CLOSE}[.。!！,;:：]?${CLOSE}$`,
    'iu',
  );
  return form.exec(text)?.[1]?.toUpperCase();
}

/** The last statement; an empty text where it names two letters. */
function statement(text: string, letters: string): string | undefined {
  const form = new RegExp(
    `(?:${STATEMENT})${OPEN}(?:option\\s+)?([${letters}${letters.toLowerCase()}])${ALONE}${CLOSE}(?:(?:or|and|或|和|[/,、])${OPEN}([${letters}])${ALONE})?`,
    'giu',
  );
  let found: string | undefined;
  for (const match of text.matchAll(form)) {
    const letter = match[1] ?? '';
    // A small "a" behind a statement is an article, unless the statement ends there.
    if (letter === 'a' && !/^\s*[.。!"'*)\]}]*\s*$/.test(restOfLine(text, match))) continue;
    found = match[2] === undefined ? letter.toUpperCase() : '';
  }
  return found;
}

function restOfLine(text: string, match: RegExpExecArray): string {
  return text.slice(match.index + match[0].length).split('\n')[0] ?? '';
}

/** `B. cat`, `(B) cat`, or `B` alone on the first line; several such lines are a list of options. */
function leading(text: string, letters: string): string | undefined {
  const form = new RegExp(
    `^${OPEN}([${letters}])(?:${CLOSE}[.)\\]:：、）]|[*_]+(?=\\s)|${CLOSE}$)`,
    'u',
  );
  const lines = text.split('\n').map((line) => line.trim());
  const first = form.exec(lines[0] ?? '')?.[1];
  const named = new Set(lines.flatMap((line) => form.exec(line)?.[1] ?? []));
  return first !== undefined && named.size === 1 ? first : undefined;
}

function concluding(text: string, letters: string): string | undefined {
  const form = new RegExp(
    `(?<![\\p{L}\\p{N}])${CONCLUSION},?\\s+${OPEN}([${letters}])${CLOSE}[.。!]?\\s*$`,
    'iu',
  );
  return form.exec(text.slice(-LONGEST_MARKED))?.[1]?.toUpperCase();
}

const NEGATION =
  /(?<![\p{L}])(?:not|no|neither|nor|none|never|cannot|without)(?![\p{L}])|n['’]t(?![\p{L}])/iu;

/** The one option whose text stands in the reply as whole words, where nothing is negated. */
function optionText(text: string, options: readonly string[]): string | undefined {
  const reply = plain(text);
  const same = options.findIndex((option) => plain(option) !== '' && plain(option) === reply);
  if (same >= 0) return String.fromCharCode(65 + same);
  const named = options
    .map((option, index) => ({ option: plain(option), index }))
    .filter(({ option }) => option !== '' && ` ${reply} `.includes(` ${option} `));
  const [only] = named;
  if (named.length !== 1 || only === undefined) return undefined;
  const outside = ` ${reply} `.replace(` ${only.option} `, ' ');
  return NEGATION.test(outside) || NEGATION.test(text.replace(options[only.index] ?? '', ''))
    ? undefined
    : String.fromCharCode(65 + only.index);
}

function plain(text: string): string {
  return text
    .normalize('NFKC')
    .toLowerCase()
    .replace(/[^\p{L}\p{N}]+/gu, ' ')
    .trim();
}
