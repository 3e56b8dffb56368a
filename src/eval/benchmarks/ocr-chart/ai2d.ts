// AI2D test: 3,088 questions about diagrams, with the letters of the labels masked or as they are.
import * as z from 'zod';
import type { Benchmark } from '../../benchmark.ts';
import { picture, text, texts, whole } from '../../data/fields.ts';
import { table } from '../../data/table-data.ts';
import { letterOf } from '../../scorers/letters/letter.ts';
import { choicePrompt } from '../prompt.ts';

function ai2d(name: string, title: string, repo: string): Benchmark {
  return {
    name,
    title,
    suite: 'ocr-chart',
    licence: 'see the card of the data set',
    data: table({
      repo,
      files: ['**/test-*.parquet'],
      expected: { items: 3088 },
      columns: z.object({ question: text, options: texts, answer: whole, image: picture }),
      items: ({ question, options, answer, image }) => [
        {
          text: choicePrompt(question, options),
          pictures: [image],
          answers: [letterOf(answer)],
          options,
          question,
        },
      ],
    }),
    scorer: {
      kind: 'reply',
      scoring: 'ai2d',
      decoding: { maxNewTokens: 16, temperature: 0 },
    },
    clusters: 'group',
  };
}

export const ai2dMask: Benchmark = ai2d('ai2d', 'AI2D with mask', 'lmms-lab/ai2d');
export const ai2dNoMask: Benchmark = ai2d(
  'ai2d-no-mask',
  'AI2D without mask',
  'Efficient-Large-Model/ai2d-no-mask',
);
