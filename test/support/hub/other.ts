// Small copies of the four other data sets.
import { answers, choices, EIGHT, type HubSet, OPTIONS, PICTURE } from './row.ts';

export const OTHER: readonly HubSet[] = [
  {
    name: 'pixmo-count',
    file: 'kcz358/pixmo-count/data/test-00000-of-00001.parquet',
    columns: { image: 'image', question: 'VARCHAR', answer: 'VARCHAR' },
    rows: answers((place) => ({
      right: String(place + 2),
      cells: {
        image: PICTURE,
        question: `<image>How many cups are on table ${place}?`,
        answer: String(place + 2),
      },
    })),
  },
  {
    name: 'count-bench',
    file: 'vikhyatk/CountBenchQA/data/test-00000-of-00001.parquet',
    columns: { image: 'image', text: 'VARCHAR', question: 'VARCHAR', number: 'BIGINT' },
    rows: answers((place) => ({
      right: String(place + 2),
      cells: {
        image: PICTURE,
        text: `${place + 2} cups`,
        question: `How many cups are on shelf ${place}?`,
        number: place + 2,
      },
    })),
  },
  {
    name: 'vl-reward-bench',
    file: 'MMInstruction/VL-RewardBench/data/test-00000-of-00001.parquet',
    columns: {
      id: 'VARCHAR',
      query: 'VARCHAR',
      response: 'VARCHAR[]',
      image: 'image',
      human_ranking: 'BIGINT[]',
    },
    rows: [...EIGHT, 'wrong' as const].map((wanted, place) => {
      const isFirstBetter = place % 2 === 0;
      // "good" is one character longer than "bad": an odd sum, so the order is turned.
      const better = isFirstBetter ? 2 : 1;
      return {
        wanted,
        right: `Overall Judgment: Answer ${better} is better.`,
        wrong: `Overall Judgment: Answer ${3 - better} is better.`,
        cells: {
          id: `${['rlhf', 'mathverse', 'wildvision'][place % 3]}-${place}`,
          query: `What is on desk ${place}?`,
          response: isFirstBetter ? ['good', 'bad'] : ['bad', 'good'],
          image: PICTURE,
          human_ranking: isFirstBetter ? [0, 1] : [1, 0],
        },
      };
    }),
  },
  {
    name: 'v-star',
    file: 'lmms-lab/vstar-bench/data/test-00000-of-00001.parquet',
    columns: {
      image: 'image',
      text: 'VARCHAR',
      category: 'VARCHAR',
      label: 'VARCHAR',
      question_id: 'BIGINT',
    },
    rows: choices((place, letter) => ({
      image: PICTURE,
      text:
        `What is the colour of glove ${place}?\n(A) ${OPTIONS[0]}\n(B) ${OPTIONS[1]}\n(C) ${OPTIONS[2]}` +
        `\n(D) ${OPTIONS[3]}\nAnswer with the option's letter from the given choices directly.`,
      category: place % 2 === 0 ? 'direct_attributes' : 'relative_position',
      label: letter,
      question_id: place,
    })),
  },
];
