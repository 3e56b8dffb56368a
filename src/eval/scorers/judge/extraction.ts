// Prompts and parsing for judges that only read an answer out of a reply: MathVista, MMBench and
// VL-RewardBench. They do not see the truth.
import { letters } from '../letters/letter.ts';
import { mmbenchLetter } from '../letters/mmbench.ts';
import type { JudgeRequest } from './judge.ts';

/** One example of each form of answer, as the original has: question with its hint, reply, answer. */
const EXAMPLES: readonly (readonly [
  hint: string,
  question: string,
  reply: string,
  answer: string,
])[] = [
  [
    'an integer answer',
    'How many windows are there?',
    'Both floors together have 12 windows.',
    '12',
  ],
  [
    'a floating-point number with one decimal place',
    'How long is the side?',
    'It is the square root of 2.25, so 1.5 m.',
    '1.5',
  ],
  [
    'a floating-point number with two decimal places',
    'What does a pound cost?',
    'Three pounds cost $4.35, so one is $1.45.',
    '1.45',
  ],
  [
    'a Python list as an answer',
    'Between which years is the lowest bar?',
    'The lowest bar stands for 2007 to 2008.',
    '[2007, 2008]',
  ],
];
const CHOICE_EXAMPLE =
  'Hint: Please answer the question and provide the correct option letter, e.g., A, B, C, D, at ' +
  'the end.\nQuestion: Which is longest?\nChoices:\n(A) red\n(B) blue\n\nModel response: The blue ' +
  'bar is longest, so (B).\n\nExtracted answer: B';

/** MathVista: the final value, choice or list of a reply. */
export function extractionRequest(query: string, reply: string): JudgeRequest {
  const values = EXAMPLES.map(
    ([hint, question, said, answer]) =>
      `Hint: Please answer the question requiring ${hint}.\nQuestion: ${question}\n\n` +
      `Model response: ${said}\n\nExtracted answer: ${answer}`,
  );
  const prompt = [
    'Read the model response and type only its final answer: the option letter, the number in the ' +
      'form that the hint asks for, or a Python list. Type nothing if it gives none.',
    ...values,
    CHOICE_EXAMPLE,
    `${query}\n\nModel response: ${reply}\n\nExtracted answer: `,
  ].join('\n\n');
  return { template: 'mathvista/2', prompt, maxTokens: 256 };
}

/** MMBench: the option that a reply means, or E for none. */
export function matchingRequest(
  question: string,
  options: readonly string[],
  reply: string,
): JudgeRequest {
  const listed = options.map((option, index) => `${letters(options.length)[index]}. ${option}`);
  const prompt =
    'Which option does the answer mean? Reply with its capital letter only, or with E if it means ' +
    `none of them.\n\nQuestion: ${question}\nOptions:\n${listed.join('\n')}\nAnswer: ${reply}\nOption: `;
  return { template: 'mmbench/1', prompt, maxTokens: 16 };
}

/** The letter in a judge's reply, read by the rule that read the model's; E means none. */
export function parseMatching(text: string, options: readonly string[]): string | undefined {
  return mmbenchLetter(text, options);
}

/** VL-RewardBench: which answer a judgement prefers. */
export function verdictRequest(judgement: string): JudgeRequest {
  const prompt =
    'The text below compares two answers. Which one does it judge better? Reply with "Answer 1" or ' +
    `"Answer 2" only.\n\n${judgement}`;
  return { template: 'vl-rewardbench/1', prompt, maxTokens: 32 };
}

/** `Answer 1` is looked for first, as the original does. */
export function parseVerdict(text: string): '1' | '2' | undefined {
  const lower = text.toLowerCase();
  if (lower.includes('answer 1')) return '1';
  return lower.includes('answer 2') ? '2' : undefined;
}
