// V*: 191 questions about small things in large pictures.
import * as z from 'zod';
import type { Benchmark } from '../../benchmark.ts';
import { picture, text } from '../../data/fields.ts';
import { table } from '../../data/table-data.ts';
import { choicePrompt } from '../prompt.ts';

/** The question and its options: `(A) red` inline, each on a line or not. */
function split(words: string): { question: string; options: string[] } {
  const body = words.replace(/\n?Answer with the option's letter[^\n]*$/i, '').trimEnd();
  const parts = body.split(/\s*\([A-D]\)\s*/);
  return { question: parts[0] ?? '', options: parts.slice(1).map((part) => part.trim()) };
}

export const vStar: Benchmark = {
  name: 'v-star',
  title: 'V*',
  suite: 'other',
  licence: 'MIT',
  data: table({
    repo: 'lmms-lab/vstar-bench',
    files: ['**/test-*.parquet'],
    expected: { items: 191 },
    columns: z.object({ image: picture, text, category: text, label: text, question_id: text }),
    items: ({ image, text: words, category, label, question_id }) => {
      const { question, options } = split(words);
      return [
        {
          text: choicePrompt(question, options),
          pictures: [image],
          answers: [label],
          options,
          question,
          columns: { category, question_id },
        },
      ];
    },
  }),
  scorer: {
    kind: 'reply',
    scoring: 'vstar',
    decoding: { maxNewTokens: 16, temperature: 0 },
  },
  clusters: 'group',
};
