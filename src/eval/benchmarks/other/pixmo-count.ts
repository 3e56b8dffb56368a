// PixmoCount test, the upload of 529 pictures that the paper's number fits: how many are there?
import * as z from 'zod';
import type { Benchmark } from '../../benchmark.ts';
import { picture, text } from '../../data/fields.ts';
import { table } from '../../data/table-data.ts';

export const pixmoCount: Benchmark = {
  name: 'pixmo-count',
  title: 'PixmoCount',
  suite: 'other',
  licence: 'ODC-BY',
  data: table({
    repo: 'kcz358/pixmo-count',
    files: ['**/test-*.parquet'],
    expected: { items: 529 },
    columns: z.object({ image: picture, question: text, answer: text }),
    items: ({ image, question, answer }) => [
      {
        text: `${question.replaceAll('<image>', '').trim()}\nAnswer with a single number.`,
        pictures: [image],
        answers: [answer],
        question,
      },
    ],
  }),
  scorer: {
    kind: 'reply',
    scoring: 'pixmo-count',
    decoding: { maxNewTokens: 32, temperature: 0 },
  },
  clusters: 'group',
};
