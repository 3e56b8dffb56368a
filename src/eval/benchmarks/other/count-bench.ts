// CountBench (CountBenchQA): 491 pictures of two to ten objects. Its captions state the count, so
// only the question is asked.
import * as z from 'zod';
import type { Benchmark } from '../../benchmark.ts';
import { picture, text } from '../../data/fields.ts';
import { table } from '../../data/table-data.ts';

export const countBench: Benchmark = {
  name: 'count-bench',
  title: 'CountBench',
  suite: 'other',
  licence: 'see the card of the data set',
  data: table({
    repo: 'vikhyatk/CountBenchQA',
    files: ['**/test-*.parquet'],
    expected: { items: 491 },
    columns: z.object({ image: picture, question: text, number: text }),
    items: ({ image, question, number }) => [
      {
        text: `Look at the image carefully and count the objects. Answer with just a number, without any additional text. ${question}`,
        pictures: [image],
        answers: [number],
        question,
      },
    ],
  }),
  scorer: {
    kind: 'reply',
    scoring: 'countbench',
    decoding: { maxNewTokens: 16, temperature: 0 },
  },
  clusters: 'group',
};
