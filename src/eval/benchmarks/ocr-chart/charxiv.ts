// CharXiv descriptive questions (DQ), validation: 1,000 figures with four questions each, judged.
import * as z from 'zod';
import type { Benchmark } from '../../benchmark.ts';
import { maybeText, picture, text, whole } from '../../data/fields.ts';
import { table } from '../../data/table-data.ts';
import { charxivQuestion } from './charxiv-questions.ts';

const PARTS = [1, 2, 3, 4] as const;

export const charxiv: Benchmark = {
  name: 'charxiv-dq',
  title: 'CharXiv DQ',
  suite: 'ocr-chart',
  licence: 'CC BY-SA 4.0',
  data: table({
    repo: 'princeton-nlp/CharXiv',
    files: ['**/val*.parquet'],
    expected: { rows: 1000, items: 4000 },
    promptVersion: 2,
    columns: z.object({
      image: picture,
      figure_path: text,
      subplot_row: whole,
      subplot_col: whole,
      subplot_loc: maybeText,
      descriptive_q1: whole,
      descriptive_q2: whole,
      descriptive_q3: whole,
      descriptive_q4: whole,
      descriptive_a1: text,
      descriptive_a2: text,
      descriptive_a3: text,
      descriptive_a4: text,
    }),
    items: (row, index) =>
      PARTS.map((part) => {
        const sort = row[`descriptive_q${part}`];
        const [place, column] = [row.subplot_loc, row.subplot_col];
        const question = charxivQuestion(sort, { row: row.subplot_row, column, place });
        // The paper's harness repeats the 1,000 rows four times and takes question i mod 4 of
        // request i: as 1,000 is a multiple of 4, a row meets the same question every time.
        const isPicked = index % 4 === part - 1;
        return {
          part: `q${part}`,
          text: question,
          pictures: [row.image],
          answers: [row[`descriptive_a${part}`]],
          question,
          columns: {
            figure_path: row.figure_path,
            template: String(sort),
            picked: isPicked ? 'yes' : 'no',
          },
          cluster: row.figure_path,
        };
      }),
  }),
  scorer: {
    kind: 'reply',
    scoring: 'charxiv',
    decoding: { maxNewTokens: 32768, temperature: 0 },
    counted: { 'lmms-v0.5': { picked: 'yes' }, 'lmms-head': { picked: 'yes' } },
  },
  clusters: 'group',
};
