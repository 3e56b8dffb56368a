// SEED-Bench, its picture half: 14,232 of 17,990 rows; those about videos ask nothing here.
import * as z from 'zod';
import type { Benchmark } from '../../benchmark.ts';
import { pictures, text } from '../../data/fields.ts';
import { table } from '../../data/table-data.ts';
import { choicePrompt } from '../prompt.ts';

export const seedImage: Benchmark = {
  name: 'seed-image',
  title: 'SEED-Bench image',
  suite: 'general',
  licence: 'see the card of the data set',
  data: table({
    repo: 'lmms-lab/SEED-Bench',
    files: ['**/test-*.parquet'],
    expected: { rows: 17990, items: 14232 },
    columns: z.object({
      question: text,
      choice_a: text,
      choice_b: text,
      choice_c: text,
      choice_d: text,
      answer: text,
      data_type: text,
      question_type_id: text,
      image: pictures,
    }),
    items: (row) => {
      if (row.data_type !== 'image') return [];
      const options = [row.choice_a, row.choice_b, row.choice_c, row.choice_d];
      return [
        {
          text: choicePrompt(row.question, options),
          pictures: row.image,
          answers: [row.answer],
          options,
          question: row.question,
          columns: { data_type: row.data_type, question_type_id: row.question_type_id },
        },
      ];
    },
  }),
  scorer: {
    kind: 'reply',
    scoring: 'seed-bench',
    decoding: { maxNewTokens: 128, temperature: 0, until: ['ASSISTANT:'] },
  },
  clusters: 'group',
};
