// Every question that the tasks ask, in one place. Training and held-out sets share them.
import type { Message } from '../sample/sample.ts';

export const NAME_QUESTION = 'What is this?';
export const DESCRIBE_QUESTION = 'Describe the image.';
export const KIND_QUESTION = 'What kind of thing is this?';
export const GRID_QUESTION = 'Read the digits row by row.';
export const NUMBER_QUESTION = 'What number is this?';
export const COUNT_QUESTION = 'How many emoji are there?';
export const PLACE_QUESTION = 'Where is the emoji?';
export const INK_QUESTION = 'What colour are the digits?';
export const PAPER_QUESTION = 'What colour is the background?';

export const identityQuestion = (label: string): string => `Is this ${label}?`;

export const relationQuestion = (what: string, from: string): string =>
  `Where is ${what}: left of, right of, above or below ${from}?`;

/** A question with its answer. */
export type Turn = readonly [question: string, answer: string];

/** The messages of some turns; the picture comes with the first question. */
export function conversation(turns: readonly Turn[]): Message[] {
  return turns.flatMap(([question, answer], index): Message[] => [
    { role: 'user', content: index === 0 ? `<image>${question}` : question },
    { role: 'assistant', content: answer },
  ]);
}
