// CV-Bench: counts and relations in two dimensions (1,438), depth and distance in three (1,200).
import * as z from 'zod';
import type { Benchmark } from '../../benchmark.ts';
import { picture, text, texts } from '../../data/fields.ts';
import { table } from '../../data/table-data.ts';
import { letterOf } from '../../scorers/letters/letter.ts';

export const cvBench: Benchmark = {
  name: 'cv-bench',
  title: 'CV-Bench',
  suite: 'general',
  licence: 'Apache-2.0',
  data: table({
    repo: 'nyu-visionx/CV-Bench',
    files: ['**/test*.parquet'],
    expected: { items: 2638 },
    columns: z.object({
      idx: text,
      type: text,
      task: text,
      image: picture,
      question: text,
      choices: texts,
      answer: text,
      prompt: text,
      source: text,
    }),
    items: ({ idx, type, task, image, question, choices, answer, prompt, source }) => {
      const letters = choices.map((_, place) => letterOf(place)).join(', ');
      const note = `Note: You only need to respond with ${letters} without providing any additional information.`;
      return [
        {
          text: `${note}\n\n${prompt}`,
          pictures: [image],
          answers: [answer.replace(/[()]/g, '')],
          options: choices,
          question,
          columns: { idx, type, task, source },
        },
      ];
    },
  }),
  scorer: {
    kind: 'reply',
    scoring: 'cv-bench',
    decoding: { maxNewTokens: 1024, temperature: 0 },
  },
  clusters: 'group',
};
