// MathVision, the full test: 3,040 problems of mathematics contests.
import * as z from 'zod';
import type { Benchmark } from '../../benchmark.ts';
import { picture, text, texts } from '../../data/fields.ts';
import { table } from '../../data/table-data.ts';
import { lettered } from '../prompt.ts';

export const mathVision: Benchmark = {
  name: 'math-vision',
  title: 'MathVision',
  suite: 'reasoning',
  licence: 'MIT',
  data: table({
    repo: 'MathLLMs/MathVision',
    files: ['**/test-*.parquet'],
    expected: { items: 3040 },
    columns: z.object({
      id: text,
      question: text,
      options: texts,
      decoded_image: picture,
      answer: text,
      level: text,
      subject: text,
    }),
    items: ({ id, question, options, decoded_image, answer, level, subject }) => {
      const task = `Please solve the problem step by step and put your answer in one "\\boxed{}".${question}`;
      const post = `\nChoices: ${lettered(options)}\nAnswer the question with the option's letter from the given choices directly.`;
      return [
        {
          text: options.length > 0 ? `${task}${post}` : task,
          pictures: [decoded_image],
          answers: [answer],
          options,
          question,
          columns: { id, level, subject },
        },
      ];
    },
  }),
  scorer: {
    kind: 'reply',
    scoring: 'mathvision',
    decoding: { maxNewTokens: 16384, temperature: 0 },
  },
  clusters: 'group',
};
