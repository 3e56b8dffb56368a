// RealWorldQA: 765 questions about street scenes and rooms; the question holds its instruction.
import * as z from 'zod';
import type { Benchmark } from '../../benchmark.ts';
import { picture, text } from '../../data/fields.ts';
import { table } from '../../data/table-data.ts';
import { optionsIn } from '../prompt.ts';

export const realWorldQa: Benchmark = {
  name: 'real-world-qa',
  title: 'RealWorldQA',
  suite: 'general',
  licence: 'CC BY-ND 4.0',
  data: table({
    repo: 'lmms-lab/RealWorldQA',
    files: ['**/test-*.parquet'],
    expected: { items: 765 },
    columns: z.object({ image: picture, question: text, answer: text }),
    items: ({ image, question, answer }) => [
      {
        text: question,
        pictures: [image],
        answers: [answer],
        options: optionsIn(question, 4),
        question,
      },
    ],
  }),
  scorer: {
    kind: 'reply',
    scoring: 'realworldqa',
    decoding: { maxNewTokens: 16, temperature: 0 },
  },
  clusters: 'group',
};
