// Rules made of extractors: what turns a finding in a reply into a score. Pure.
import { openCandidates, openMatches } from './answers/mmmu-open.ts';
import { canInferLetter } from './letters/can-infer.ts';
import { mmstarMatches, realWorldQaReply } from './letters/first-letters.ts';
import { type LetterFinding, letters } from './letters/letter.ts';
import { mcqExtract } from './letters/mcq-extract.ts';
import { mmbenchLetter } from './letters/mmbench.ts';
import { mmmuLetter } from './letters/mmmu.ts';
import { reasoningLetter } from './letters/reasoning-letter.ts';
import { strictLetter } from './letters/strict.ts';
import { strip, stripCharacter } from './python.ts';
import type { AnsweredItem, Finding, Rule } from './scorer.ts';

/** Right if the extracted letter is an accepted answer, ignoring case and brackets around it. */
export function byLetter(
  extract: (text: string, item: AnsweredItem) => string | undefined | LetterFinding,
): Rule {
  return (text, item) => {
    const found = extract(text, item);
    const { letter, faults } = typeof found === 'object' ? found : { letter: found, faults: [] };
    const wanted = item.answers.map((answer) => answer.replace(/^[()]+|[()]+$/g, '').toUpperCase());
    const right = letter !== undefined && wanted.includes(letter.toUpperCase());
    return { score: right ? 1 : 0, parsed: letter, faults: faults ?? [] };
  };
}

/** Right if the reply, after a change to both sides, is an accepted answer. */
export function byText(change: (text: string, item: AnsweredItem) => string | undefined): Rule {
  return (text, item) => {
    const parsed = change(text, item);
    const right = item.answers.some((answer) => parsed === change(answer, item));
    return { score: parsed !== undefined && right ? 1 : 0, parsed };
  };
}

/** Right if any accepted answer matches the reply. An empty reply is no answer. */
export function byMatch(
  matches: (text: string, answer: string, item: AnsweredItem) => boolean,
): Rule {
  return (text, item) => ({
    score: item.answers.some((answer) => matches(text, answer, item)) ? 1 : 0,
    parsed: whole(text),
  });
}

/** One rule for rows whose column has a value, another for the others. */
export function byColumn(name: string, value: string, then: Rule, otherwise: Rule): Rule {
  return (text, item) => (item.columns?.[name] === value ? then : otherwise)(text, item);
}

/** The reply as its own answer: none if it is empty. */
export function whole(text: string): string | undefined {
  return strip(text) === '' ? undefined : strip(text);
}

export const strictChoice: Rule = byLetter((text, { options }) =>
  strictLetter(text, options ?? []),
);
export const mmmuChoice: Rule = byLetter((text, { options, uid }) =>
  mmmuLetter(text, options ?? [], uid),
);

/** VLMEvalKit: a refusal is Z, what cannot be read goes to a judge. */
export const canInferChoice: Rule = (text, item) => orJudge(canInferLetter, text, item);
export const mmbenchChoice: Rule = (text, item) => orJudge(mmbenchLetter, text, item);

function orJudge(
  extract: (text: string, options: readonly string[]) => string | undefined,
  text: string,
  item: AnsweredItem,
): Finding {
  const finding = byLetter(() => extract(text, item.options ?? []))(text, item);
  return finding.parsed === undefined ? { ...finding, needsJudge: true } : finding;
}

/** MMBench without a judge, as lmms-eval has it now: the shared extractor reads the rest. */
export const mmbenchStaticChoice: Rule = byLetter(
  (text, { options = [] }) =>
    mmbenchLetter(text, options) ?? mcqExtract(text, letters(Math.min(4, options.length))),
);

/** WeMath in VLMEvalKit: the first character behind the last "Answer", if it is a letter A–H. */
export const weMathChoice: Rule = byLetter((text) => {
  const said = strip(text.split('Answer').at(-1) ?? '').replace(/[><:.]/g, '');
  return /^[A-H]/.exec(strip(said))?.[0];
});

/** WeMath in lmms-eval: only what is tagged or boxed counts. */
export const weMathTagged: Rule = byLetter(reasoningLetter);

/** lmms-eval's shared extractor over the first four letters. */
export const mcqChoice: Rule = byLetter((text) => mcqExtract(text, letters(4)));

export const mmstarChoice: Rule = (text, item) => ({
  score: item.answers.some((answer) => mmstarMatches(text, answer)) ? 1 : 0,
  parsed: whole(text),
});

/** MMMU-Pro vision in lmms-eval: nothing is parsed, `B.` is not `B`. */
export const rawEquality: Rule = (text, { answers }) => ({
  score: answers.includes(text) ? 1 : 0,
  parsed: whole(text),
  faults: ['raw-equality'],
});

export const mmmuOpen: Rule = (text, { answers }) => ({
  score: openMatches(answers, openCandidates(text)) ? 1 : 0,
  parsed: whole(text),
});

/** MMMU's open questions at v0.5: a candidate's characters were compared, so none is ever right. */
export const mmmuOpenNever: Rule = (text) => ({
  score: 0,
  parsed: whole(text),
  faults: ['characters-as-candidates'],
});

/** Ours: a candidate that equals the answer, as number or text; a gold list is a list. */
export const strictOpen: Rule = (text, { answers }) => {
  const golds = answers.flatMap(listItems).flatMap((answer) => openCandidates(answer));
  const candidates = openCandidates(text);
  const right = candidates.some((candidate) => golds.some((gold) => isSame(candidate, gold)));
  return { score: right ? 1 : 0, parsed: whole(text) };
};

function isSame(a: number | string, b: number | string): boolean {
  const plain = (text: string): string => text.replace(/[^\p{L}\p{N}%.+-]+/gu, ' ').trim();
  return typeof a === 'string' && typeof b === 'string' ? plain(a) === plain(b) : a === b;
}

/** The texts of a Python list of texts; another text is itself. */
function listItems(text: string): string[] {
  if (!/^\s*\[.*\]\s*$/s.test(text)) return [text];
  const items = [...text.matchAll(/'((?:[^'\\]|\\.)*)'|"((?:[^"\\]|\\.)*)"/g)];
  return items.length === 0 ? [text] : items.map((item) => item[1] ?? item[2] ?? '');
}

const isLetterGold = ({ answers }: AnsweredItem): boolean =>
  answers.every((answer) => /^[A-D]$/i.test(strip(answer)));

/** RealWorldQA at v0.5. */
export const realWorldQaOld: Rule = (text, item) => {
  const parsed = realWorldQaReply(text, item.question ?? '');
  const right = item.answers.some((answer) => parsed === strip(answer.toLowerCase()));
  return { score: right ? 1 : 0, parsed: whole(parsed) };
};

/** RealWorldQA now: a letter by the shared extractor, else the reply in lower case. */
export const realWorldQaHead: Rule = (text, item) => {
  if (isLetterGold(item)) return mcqChoice(text, { ...item, answers: item.answers.map(strip) });
  const parsed = stripCharacter(strip(text.toLowerCase()), '.', 'right');
  const right = item.answers.some((answer) => parsed === strip(answer).toLowerCase());
  return { score: right ? 1 : 0, parsed: whole(parsed) };
};

/** Ours: a letter as everywhere; a number or word after trimming, number words as digits. */
export const realWorldQaStrict =
  (readWord: (text: string) => string): Rule =>
  (text, item) => {
    if (isLetterGold(item)) return strictChoice(text, item);
    const normal = (value: string): string =>
      readWord(value.trim().toLowerCase().replace(/\.$/, ''));
    const parsed = normal(text);
    const right = item.answers.some((answer) => parsed === normal(answer));
    return { score: right ? 1 : 0, parsed: whole(parsed) };
  };

/** No rule can say: a judge compares the reply with the answer. */
export const judged: Rule = () => ({ score: 0, parsed: undefined, needsJudge: true });
