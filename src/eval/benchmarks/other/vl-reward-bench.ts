// VL-RewardBench: the model as a judge of two answers, 1,250 pairs of three groups.
import * as z from 'zod';
import type { Benchmark } from '../../benchmark.ts';
import { picture, text, texts, wholes } from '../../data/fields.ts';
import { table } from '../../data/table-data.ts';
import { rewardItem } from '../../scorers/reward.ts';

const PRE =
  ' You are a highly capable multimodal AI assistant tasked with evaluating answers to visual ' +
  'questions. Please analyze the following image and question, then determine which of the two ' +
  'provided answers is better.';
const POST = `Please evaluate both answers based on the following criteria:
1. Accuracy: How well does the answer align with the visual information in the image?
2. Completeness: Does the answer fully address all aspects of the question?
3. Clarity: Is the answer easy to understand and well-articulated?
4. Relevance: Does the answer directly relate to the question and the image?

After your evaluation, please:
1. Explain your reasoning for each criterion.
2. Provide an overall judgment on which answer is better (Answer 1 or Answer 2). For example: Overall Judgment: Answer X is better.

Your response should be structured and detailed, demonstrating your understanding of both the visual and textual elements of the task.`;

export const vlRewardBench: Benchmark = {
  name: 'vl-reward-bench',
  title: 'VL-RewardBench',
  suite: 'other',
  licence: 'MIT',
  data: table({
    repo: 'MMInstruction/VL-RewardBench',
    files: ['**/test-*.parquet'],
    expected: { items: 1250, unsure: true },
    columns: z.object({
      id: text,
      query: text,
      response: texts,
      image: picture,
      human_ranking: wholes,
    }),
    items: ({ id, query, response, image, human_ranking }) => {
      const [first = '', second = ''] = response;
      const shown = rewardItem({ id, response: [first, second], humanRanking: human_ranking });
      const [a, b] = shown.responses;
      return [
        {
          text: `${PRE}\n\nQuestion: ${query}\n\nAnswer 1: ${a}\n\nAnswer 2: ${b}\n\n${POST}`,
          pictures: [image],
          answers: [shown.answer],
          question: query,
          columns: { id, group: shown.group },
          cluster: id,
        },
      ];
    },
  }),
  scorer: {
    kind: 'reply',
    scoring: 'vl-rewardbench',
    decoding: { maxNewTokens: 1024, temperature: 1 },
  },
  clusters: 'group',
};
