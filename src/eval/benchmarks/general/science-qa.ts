// ScienceQA, the full test of 4,241 questions; about half of them have no picture.
import * as z from 'zod';
import type { Benchmark } from '../../benchmark.ts';
import { maybePicture, maybeText, text, texts, whole } from '../../data/fields.ts';
import { table } from '../../data/table-data.ts';
import { letterOf } from '../../scorers/letters/letter.ts';
import { choicePrompt } from '../prompt.ts';

export const scienceQa: Benchmark = {
  name: 'science-qa',
  title: 'ScienceQA',
  suite: 'general',
  licence: 'CC BY-NC-SA 4.0',
  data: table({
    repo: 'lmms-lab/ScienceQA',
    files: ['ScienceQA-FULL/test-*.parquet'],
    expected: { items: 4241 },
    columns: z.object({
      image: maybePicture,
      question: text,
      choices: texts,
      answer: whole,
      hint: maybeText,
      subject: maybeText,
    }),
    items: ({ image, question, choices, answer, hint, subject }) => {
      const context = hint === undefined || hint === '' ? '' : `Context: ${hint}\n`;
      return [
        {
          text: `${context}${choicePrompt(question, choices)}`,
          pictures: image === undefined ? [] : [image],
          answers: [letterOf(answer)],
          options: choices,
          question,
          columns: { subject: subject ?? '' },
        },
      ];
    },
  }),
  scorer: {
    kind: 'reply',
    scoring: 'scienceqa',
    decoding: { maxNewTokens: 16, temperature: 0 },
  },
  clusters: 'group',
};
