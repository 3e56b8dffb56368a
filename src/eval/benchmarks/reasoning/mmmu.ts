// MMMU val: 900 college questions of 30 subjects, some open. MMMU-Pro standard: ten options.
import * as z from 'zod';
import type { Benchmark } from '../../benchmark.ts';
import { listText, maybePicture, type Picture, text } from '../../data/fields.ts';
import { table } from '../../data/table-data.ts';
import { lettered } from '../prompt.ts';

const NUMBERS = [1, 2, 3, 4, 5, 6, 7] as const;

interface Images {
  readonly [name: `image_${number}`]: Picture | undefined;
}

const images = Object.fromEntries(
  NUMBERS.map((number) => [`image_${number}`, maybePicture]),
) as Record<`image_${(typeof NUMBERS)[number]}`, z.ZodType<Picture | undefined>>;

/** Only the pictures that question or options name are sent, in the order of their numbers. */
function named(row: Images, words: string): Picture[] {
  return NUMBERS.flatMap((number) => {
    const image = row[`image_${number}`];
    return image !== undefined && words.includes(`<image ${number}>`) ? [image] : [];
  });
}

export const mmmu: Benchmark = {
  name: 'mmmu',
  title: 'MMMU val',
  suite: 'reasoning',
  licence: 'Apache-2.0',
  data: table({
    repo: 'lmms-lab/MMMU',
    files: ['**/validation-*.parquet'],
    expected: { items: 900 },
    columns: z.object({
      id: text,
      question: text,
      options: listText,
      answer: text,
      question_type: text,
      ...images,
    }),
    items: (row) => {
      const { id, question, options, answer, question_type } = row;
      const isChoice = question_type === 'multiple-choice';
      const post = isChoice
        ? `\n${lettered(options)}\n\nAnswer with the option's letter from the given choices directly.`
        : '\n\nAnswer the question using a single word or phrase.';
      return [
        {
          text: `${question}${post}`,
          pictures: named(row, `${question} ${options.join(' ')}`),
          answers: [answer],
          options,
          question,
          columns: {
            id,
            question_type,
            subject: id.replace(/^validation_/, '').replace(/_\d+$/, ''),
          },
        },
      ];
    },
  }),
  scorer: {
    kind: 'reply',
    scoring: 'mmmu',
    decoding: { maxNewTokens: 16, temperature: 0 },
  },
  clusters: 'none',
};

export const mmmuProStandard: Benchmark = {
  name: 'mmmu-pro-standard',
  title: 'MMMU-Pro standard',
  suite: 'reasoning',
  licence: 'Apache-2.0',
  data: table({
    repo: 'MMMU/MMMU_Pro',
    files: ['standard*10*/test-*.parquet'],
    expected: { items: 1730 },
    columns: z.object({
      id: text,
      question: text,
      options: listText,
      answer: text,
      subject: text,
      ...images,
    }),
    items: (row) => {
      const { id, question, options, answer, subject } = row;
      return [
        {
          text: `${question}\n${lettered(options)}\n\nAnswer with the option letter from the given choices directly.`,
          pictures: named(row, `${question} ${options.join(' ')}`),
          answers: [answer],
          options,
          question,
          columns: { id, subject },
        },
      ];
    },
  }),
  scorer: {
    kind: 'reply',
    scoring: 'mmmu-pro',
    decoding: { maxNewTokens: 256, temperature: 0 },
  },
  clusters: 'none',
};
