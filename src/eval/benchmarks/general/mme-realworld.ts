// What the English and the Chinese MME-RealWorld share: large pictures, five options, E = none of them.
import * as z from 'zod';
import type { Benchmark } from '../../benchmark.ts';
import { picture, text, texts } from '../../data/fields.ts';
import { table } from '../../data/table-data.ts';

const PROMPTS = {
  en: {
    choices: 'The choices are listed below:',
    post:
      'Select the best answer to the above multiple-choice question based on the image. Respond ' +
      'with only the letter (A, B, C, D, or E) of the correct option.\nThe best answer is: ',
  },
  cn: {
    choices: '选项如下所示:',
    post: '根据图像选择上述多项选择题的最佳答案。只需回答正确选项的字母（A, B, C, D 或 E）。\n最佳答案为： ',
  },
} as const;

export function mmeRealworld(language: 'en' | 'cn', items: number): Benchmark {
  const { choices, post } = PROMPTS[language];
  return {
    name: `mme-realworld-${language}`,
    title: `MME-RealWorld ${language}`,
    suite: 'general',
    licence: 'see the card of the data set',
    data: table({
      repo: `yifanzhang114/MME-RealWorld-${language === 'cn' ? 'CN-' : ''}Lmms-eval`,
      files: ['**/train-*.parquet'],
      expected: { items },
      columns: z.object({
        index: text,
        bytes: picture,
        question: text,
        'multi-choice options': texts,
        answer: text,
        category: text,
        'l2-category': text,
      }),
      items: (row) => {
        const options = row['multi-choice options'];
        return [
          {
            text: `${row.question} ${choices}\n${options.join('\n')}\n${post}`,
            pictures: [row.bytes],
            answers: [row.answer],
            options,
            question: row.question,
            columns: {
              index: row.index,
              category: row.category,
              'l2-category': row['l2-category'],
            },
          },
        ];
      },
    }),
    scorer: {
      kind: 'reply',
      scoring: 'mme-realworld',
      decoding: { maxNewTokens: 16, temperature: 0 },
    },
    clusters: 'group',
  };
}
