// The pieces that prompts of several benchmarks are made of.
import { letterOf } from '../scorers/letters/letter.ts';

/** One option a line: `A. red`. */
export function lettered(options: readonly string[]): string {
  return options.map((option, place) => `${letterOf(place)}. ${option}`).join('\n');
}

export const ANSWER_LETTER = "Answer with the option's letter from the given choices directly.";
export const ANSWER_PHRASE = 'Answer the question using a single word or phrase.';

/** A choice question as most benchmarks ask it. */
export function choicePrompt(
  question: string,
  options: readonly string[],
  post: string = ANSWER_LETTER,
): string {
  return `${question}\n${lettered(options)}\n${post}`;
}

/** The options that are there, from the first letter on. */
export function present(options: readonly (string | undefined)[]): string[] {
  return options.filter((option) => option !== undefined && option !== 'nan') as string[];
}

/**
 * The options that stand in a question: lines `A. red`, or `Options: A: red, B: blue`. Where none are
 * found, the letters that the benchmark has stand for themselves.
 */
export function optionsIn(question: string, count: number): string[] {
  const lines = [...question.matchAll(/^\s*\(?([A-Z])[.)]\s*(.*)$/gm)].map(
    (match) => match[2] ?? '',
  );
  if (lines.length > 1) return lines.map((line) => line.trim());
  const inline = /Options:\s*([\s\S]*)$/.exec(question)?.[1] ?? '';
  const parts = inline.split(/(?:^|,\s*|\s)[A-Z]: /).slice(1);
  if (parts.length > 1) return parts.map((part) => part.trim());
  return Array.from({ length: count }, (_, place) => `(${letterOf(place)})`);
}
