// WeMath testmini: 1,740 questions, the steps of 525 composite problems and the problems themselves.
import * as z from 'zod';
import type { Benchmark } from '../../benchmark.ts';
import { picture, text } from '../../data/fields.ts';
import { table } from '../../data/table-data.ts';

const SYSTEM =
  'You are a helpful assistant. When the user asks a question, your response must include two ' +
  'parts: first, the reasoning process enclosed in <think>...</think> tags, then the final answer ' +
  'enclosed in <answer>...</answer> tags.Please provide a clear, concise response within <answer> ' +
  '</answer> tags that directly addresses the question.';

/** `A. 3 cm; B. 4 cm` → the texts of the options. */
function optionsOf(option: string): string[] {
  const parts = option.split(/(?:^|[;\s])\s*\(?([A-H])[.)]\s*/).slice(1);
  return parts.flatMap((part, index) =>
    index % 2 === 1 ? [part.replace(/;\s*$/, '').trim()] : [],
  );
}

export const weMath: Benchmark = {
  name: 'we-math',
  title: 'WeMath',
  suite: 'reasoning',
  licence: 'see the card of the data set',
  data: table({
    repo: 'We-Math/We-Math',
    files: ['**/testmini-*.parquet'],
    expected: { items: 1740 },
    columns: z.object({
      ID: text,
      question: text,
      option: text,
      answer: text,
      image_path: picture,
      key: text,
    }),
    items: ({ ID, question, option, answer, image_path, key }) => [
      {
        text: `${question}\n${option}`,
        system: SYSTEM,
        pictures: [image_path],
        answers: [answer],
        options: optionsOf(option),
        question,
        columns: { ID, key },
        cluster: ID,
      },
    ],
  }),
  scorer: {
    kind: 'reply',
    scoring: 'wemath',
    decoding: { maxNewTokens: 49152, temperature: 0 },
  },
  clusters: 'group',
};
