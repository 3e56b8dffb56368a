// MMStar val: 1,500 questions that need their picture; six skills of three sorts each.
import * as z from 'zod';
import type { Benchmark } from '../../benchmark.ts';
import { picture, text } from '../../data/fields.ts';
import { table } from '../../data/table-data.ts';
import { optionsIn } from '../prompt.ts';

export const mmstar: Benchmark = {
  name: 'mmstar',
  title: 'MMStar',
  suite: 'general',
  licence: 'see the card of the data set',
  data: table({
    repo: 'Lin-Chen/MMStar',
    files: ['**/val*.parquet', 'mmstar.parquet'],
    expected: { items: 1500 },
    columns: z.object({
      question: text,
      image: picture,
      answer: text,
      category: text,
      l2_category: text,
    }),
    items: ({ question, image, answer, category, l2_category }) => [
      {
        text: `${question}\nAnswer with the option's letter from the given choices directly`,
        pictures: [image],
        answers: [answer],
        options: optionsIn(question, 4),
        question,
        columns: { category, l2_category },
      },
    ],
  }),
  scorer: {
    kind: 'reply',
    scoring: 'mmstar',
    decoding: { maxNewTokens: 128, temperature: 0 },
  },
  clusters: 'group',
};
