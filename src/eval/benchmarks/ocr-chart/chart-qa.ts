// ChartQA test: 2,500 questions about charts, half of them written by people.
import * as z from 'zod';
import type { Benchmark } from '../../benchmark.ts';
import { oneOrMore, picture, text } from '../../data/fields.ts';
import { table } from '../../data/table-data.ts';

export const chartQa: Benchmark = {
  name: 'chart-qa',
  title: 'ChartQA',
  suite: 'ocr-chart',
  licence: 'GPL-3.0',
  data: table({
    repo: 'lmms-lab/ChartQA',
    files: ['**/test-*.parquet'],
    expected: { items: 2500 },
    columns: z.object({ type: text, question: text, answer: oneOrMore, image: picture }),
    items: ({ type, question, answer, image }) => [
      {
        text: `${question}\nAnswer the question with a single word.`,
        pictures: [image],
        answers: answer,
        question,
        columns: { type },
      },
    ],
  }),
  scorer: {
    kind: 'reply',
    scoring: 'chartqa',
    decoding: { maxNewTokens: 16, temperature: 0 },
  },
  clusters: 'group',
};
