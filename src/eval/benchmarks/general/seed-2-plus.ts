// SEED-Bench-2-Plus: 2,277 questions about charts, maps and web pages rich in text.
import * as z from 'zod';
import type { Benchmark } from '../../benchmark.ts';
import { pictures, text } from '../../data/fields.ts';
import { table } from '../../data/table-data.ts';
import { choicePrompt } from '../prompt.ts';

export const seed2Plus: Benchmark = {
  name: 'seed-2-plus',
  title: 'SEED-Bench-2-Plus',
  suite: 'general',
  licence: 'see the card of the data set',
  data: table({
    repo: 'doolayer/SEED-Bench-2-Plus',
    files: ['**/test-*.parquet'],
    expected: { items: 2277 },
    columns: z.object({
      question: text,
      choice_A: text,
      choice_B: text,
      choice_C: text,
      choice_D: text,
      answer: text,
      question_image_type: text,
      question_id: text,
      image: pictures,
    }),
    items: (row) => {
      const options = [row.choice_A, row.choice_B, row.choice_C, row.choice_D];
      // A choice that names a picture file becomes the mark of a picture in the original.
      const shown = options.map((option) => (/jpg|png/.test(option) ? '<image>' : option));
      return [
        {
          text: choicePrompt(row.question, shown),
          pictures: row.image,
          answers: [row.answer],
          options,
          question: row.question,
          columns: { question_image_type: row.question_image_type, question_id: row.question_id },
        },
      ];
    },
  }),
  scorer: {
    kind: 'reply',
    scoring: 'seed-bench',
    decoding: { maxNewTokens: 16, temperature: 0, until: ['ASSISTANT:'] },
  },
  clusters: 'group',
};
