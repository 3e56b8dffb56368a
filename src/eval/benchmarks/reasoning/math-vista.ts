// MathVista testmini: 1,000 questions, each asked in the three ways that the paper's row pools.
import * as z from 'zod';
import type { Benchmark } from '../../benchmark.ts';
import { maybeText, picture, text, texts } from '../../data/fields.ts';
import { table } from '../../data/table-data.ts';
import { letterOf } from '../../scorers/letters/letter.ts';
import { lettered } from '../prompt.ts';

const columns = z.object({
  pid: text,
  question: text,
  choices: texts.nullish(),
  unit: maybeText,
  precision: maybeText,
  answer: text,
  question_type: text,
  answer_type: text,
  query: maybeText,
  decoded_image: picture,
});
type Row = z.output<typeof columns>;

const WAYS = ['cot', 'solution', 'format'] as const;

function hint({ question_type, answer_type, precision }: Row): { long: string; short: string } {
  const long = (what: string, wanted: string, examples: string): string =>
    `Hint: Please answer the question ${what} and provide the ${wanted}, e.g., ${examples}, at the end.`;
  if (question_type === 'multi_choice') {
    return {
      long: long('', 'correct option letter', 'A, B, C, D').replace(
        'question  and',
        'question and',
      ),
      short: "Answer with the option's letter from the given choices directly.",
    };
  }
  if (answer_type === 'integer') {
    return {
      long: long('requiring an integer answer', 'final value', '1, 2, 3'),
      short: 'Answer the question using a single integer number.',
    };
  }
  if (answer_type === 'float') {
    const places = Number(precision) === 2 ? 'two decimal places' : 'one decimal place';
    const examples = Number(precision) === 2 ? '1.23, 1.34, 1.45' : '1.2, 1.3, 1.4';
    const what = `requiring a floating-point number with ${places}`;
    return {
      long: long(what, 'final value', examples),
      short: `Answer the question using a single floating-point number with ${places}.`,
    };
  }
  return {
    long: long('requiring a Python list as an answer', 'final list', '[1, 2, 3], [1.2, 1.3, 1.4]'),
    short: 'Answer the question using a Python list.',
  };
}

function ask(row: Row, way: (typeof WAYS)[number]): string {
  const choices = row.choices ?? [];
  const { long, short } = hint(row);
  const unit = row.unit === undefined || row.unit === '' ? '' : ` (Unit: ${row.unit})`;
  if (way === 'format') {
    const lines = [
      `${row.question}${unit}`,
      ...(choices.length > 0 ? [lettered(choices)] : []),
      short,
    ];
    return lines.join('\n');
  }
  const options = choices.map((choice, place) => `(${letterOf(place)}) ${choice}`);
  const lines = [`Question: ${row.question}${unit}`];
  if (options.length > 0) lines.push('Choices:', ...options);
  lines.push(long);
  if (way === 'solution') lines.push('Solution:');
  return lines.join('\n');
}

export const mathVista: Benchmark = {
  name: 'math-vista',
  title: 'MathVista mini',
  suite: 'reasoning',
  licence: 'CC BY-SA 4.0',
  data: table({
    repo: 'AI4Math/MathVista',
    files: ['**/testmini-*.parquet'],
    expected: { rows: 1000, items: 3000 },
    columns,
    items: (row) =>
      WAYS.map((way) => ({
        part: way,
        text: ask(row, way),
        pictures: [row.decoded_image],
        answers: [row.answer],
        options: row.choices ?? [],
        question: row.question,
        columns: {
          pid: row.pid,
          way,
          question_type: row.question_type,
          answer_type: row.answer_type,
          precision: row.precision ?? '',
          query: row.query ?? '',
        },
        cluster: row.pid,
      })),
  }),
  scorer: {
    kind: 'reply',
    scoring: 'mathvista',
    decoding: { maxNewTokens: 16384, temperature: 0 },
    // The paper pools three wordings of each question; one of them is the benchmark.
    counted: { strict: { way: 'cot' }, official: { way: 'cot' } },
  },
  clusters: 'group',
};
