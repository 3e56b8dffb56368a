// OCRBench: 1,000 questions of ten sorts; an accepted answer has to stand in the reply.
import * as z from 'zod';
import type { Benchmark } from '../../benchmark.ts';
import { oneOrMore, picture, text } from '../../data/fields.ts';
import { table } from '../../data/table-data.ts';

export const ocrBench: Benchmark = {
  name: 'ocr-bench',
  title: 'OCRBench',
  suite: 'ocr-chart',
  licence: 'MIT',
  data: table({
    repo: 'echo840/OCRBench',
    files: ['**/test-*.parquet'],
    expected: { items: 1000 },
    columns: z.object({
      dataset: text,
      question: text,
      question_type: text,
      answer: oneOrMore,
      image: picture,
    }),
    items: ({ dataset, question, question_type, answer, image }) => [
      {
        text: question,
        pictures: [image],
        answers: answer,
        question,
        columns: { dataset, question_type },
      },
    ],
  }),
  scorer: {
    kind: 'reply',
    scoring: 'ocrbench',
    decoding: { maxNewTokens: 128, temperature: 0 },
  },
  clusters: 'group',
};
