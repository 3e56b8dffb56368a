// MMMU-Pro vision: question and options stand in the picture, 1,730 of them.
import * as z from 'zod';
import type { Benchmark } from '../../benchmark.ts';
import { listText, picture, text } from '../../data/fields.ts';
import { table } from '../../data/table-data.ts';

export const mmmuProVision: Benchmark = {
  name: 'mmmu-pro-vision',
  title: 'MMMU-Pro vision',
  suite: 'reasoning',
  licence: 'Apache-2.0',
  data: table({
    repo: 'MMMU/MMMU_Pro',
    files: ['vision/test-*.parquet'],
    expected: { items: 1730 },
    columns: z.object({
      id: text,
      image: picture,
      options: listText,
      answer: text,
      subject: text,
    }),
    items: ({ id, image, options, answer, subject }) => [
      {
        text: 'Answer with the option letter from the given choices directly.',
        pictures: [image],
        answers: [answer],
        options,
        columns: { id, subject },
      },
    ],
  }),
  scorer: {
    kind: 'reply',
    scoring: 'mmmu-pro-vision',
    decoding: { maxNewTokens: 256, temperature: 0 },
  },
  clusters: 'none',
};
