// What the English and the Chinese MMBench share: rotated options, scored circle by circle.
import * as z from 'zod';
import type { Benchmark } from '../../benchmark.ts';
import { maybePicture, maybeText, text, whole } from '../../data/fields.ts';
import { table } from '../../data/table-data.ts';
import { choicePrompt, present } from '../prompt.ts';

const PROMPTS = {
  en: "\nAnswer with the option's letter from the given choices directly.",
  cn: '\n请直接使用所提供的选项字母作为答案回答。',
} as const;

/** The test split, or its local proxy with public answers. Rotations of a question share index mod 1e6. */
export function mmbench(language: 'en' | 'cn', split: 'test' | 'dev'): Benchmark {
  const suffix = split === 'test' ? '' : '-dev';
  return {
    name: `mmbench-${language}${suffix}`,
    title: `MMBench ${language}${split === 'test' ? '' : ' dev'}`,
    ...(split === 'test' ? { suite: 'general' as const } : {}),
    licence: 'Apache-2.0',
    data: table({
      repo: 'lmms-lab/MMBench',
      files: [
        `${language}/${split}-*.parquet`,
        `MMBench_${split.toUpperCase()}_${language.toUpperCase()}*.tsv`,
      ],
      expected: { items: split === 'test' ? 6666 : 4329, unsure: true },
      columns: z.object({
        index: whole,
        question: text,
        hint: maybeText,
        A: maybeText,
        B: maybeText,
        C: maybeText,
        D: maybeText,
        answer: maybeText,
        category: maybeText,
        'L2-category': maybeText,
        source: maybeText,
        split: maybeText,
        image: maybePicture,
      }),
      items: (row) => {
        const { index, question, hint, answer } = row;
        const options = present([row.A, row.B, row.C, row.D]);
        // The Chinese prompt of the original has no guard against the text "nan".
        const isHint = hint !== undefined && (language === 'cn' || hint !== 'nan');
        const asked = `${isHint ? `${hint} ` : ''}${question} There are several options:`;
        const hasAnswer = answer !== undefined && /^[A-D]$/.test(answer);
        return [
          {
            text: choicePrompt(asked, options, PROMPTS[language]),
            pictures: row.image === undefined ? [] : [row.image],
            answers: hasAnswer ? [answer] : [],
            options,
            question,
            columns: {
              index: String(index),
              hint: hint ?? '',
              category: row.category ?? '',
              'L2-category': row['L2-category'] ?? '',
              source: row.source ?? '',
              split: row.split ?? '',
              A: row.A ?? '',
              B: row.B ?? '',
              C: row.C ?? '',
              D: row.D ?? '',
            },
            cluster: String(index % 1_000_000),
          },
        ];
      },
    }),
    scorer: {
      kind: 'reply',
      scoring: 'mmbench',
      decoding: {
        maxNewTokens: language === 'en' ? 1024 : 256,
        temperature: 0,
        ...(language === 'en' ? { until: ['ASSISTANT:'] } : {}),
      },
    },
    clusters: 'group',
  };
}
