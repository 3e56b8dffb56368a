// DocVQA and InfographicVQA: the test splits of the paper, whose answers only a server has, and the
// validation splits with answers, the local proxies.
import * as z from 'zod';
import type { Benchmark } from '../../benchmark.ts';
import { maybeText, oneOrMore, picture, text } from '../../data/fields.ts';
import { table } from '../../data/table-data.ts';
import { ANSWER_PHRASE } from '../prompt.ts';

interface Part {
  readonly name: string;
  readonly title: string;
  readonly config: 'DocVQA' | 'InfographicVQA';
  readonly split: 'test' | 'validation';
  readonly items: number;
  readonly unsure?: boolean;
}

function docVqaPart({ name, title, config, split, items, unsure = false }: Part): Benchmark {
  return {
    name,
    title,
    ...(split === 'test' ? { suite: 'ocr-chart' as const } : {}),
    licence: 'see the card of the data set',
    data: table({
      repo: 'lmms-lab/DocVQA',
      files: [`${config}/${split}-*.parquet`],
      expected: { items, unsure },
      columns: z.object({
        questionId: text,
        question: text,
        image: picture,
        docId: maybeText,
        image_url: maybeText,
        answers: oneOrMore.nullish(),
      }),
      items: ({ questionId, question, image, docId, image_url, answers }) => {
        const cluster = docId ?? image_url;
        return [
          {
            text: `${question}\n${ANSWER_PHRASE}`,
            pictures: [image],
            answers: answers ?? [],
            question,
            columns: { questionId },
            ...(cluster === undefined ? {} : { cluster }),
          },
        ];
      },
    }),
    scorer: {
      kind: 'reply',
      scoring: 'docvqa',
      decoding: { maxNewTokens: 32, temperature: 0 },
    },
    clusters: 'group',
  };
}

export const docVqa: Benchmark = docVqaPart({
  name: 'doc-vqa',
  title: 'DocVQA',
  config: 'DocVQA',
  split: 'test',
  items: 5188,
});
export const docVqaVal: Benchmark = docVqaPart({
  name: 'doc-vqa-val',
  title: 'DocVQA val',
  config: 'DocVQA',
  split: 'validation',
  items: 5349,
});
export const infoVqa: Benchmark = docVqaPart({
  name: 'info-vqa',
  title: 'InfoVQA',
  config: 'InfographicVQA',
  split: 'test',
  items: 3288,
  unsure: true,
});
export const infoVqaVal: Benchmark = docVqaPart({
  name: 'info-vqa-val',
  title: 'InfoVQA val',
  config: 'InfographicVQA',
  split: 'validation',
  items: 2801,
  unsure: true,
});
