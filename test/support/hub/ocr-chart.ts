// Small copies of the seven data sets of the group of text and charts, and of their proxies.
import { answers, choices, type HubSet, OPTIONS, PICTURE } from './row.ts';

function docvqa(name: string, config: string, split: string, hasAnswers: boolean): HubSet {
  return {
    name,
    file: `lmms-lab/DocVQA/${config}/${split}-00000-of-00001.parquet`,
    columns: {
      questionId: 'VARCHAR',
      question: 'VARCHAR',
      image: 'image',
      answers: 'VARCHAR[]',
      ...(config === 'DocVQA' ? { docId: 'BIGINT' } : { image_url: 'VARCHAR' }),
    },
    rows: answers((place) => ({
      right: `total ${place}00`,
      cells: {
        questionId: String(4000 + place),
        question: `What is the total of page ${place} (${config})?`,
        image: PICTURE,
        answers: hasAnswers ? [`total ${place}00`, `${place}00 in all`] : null,
        ...(config === 'DocVQA' ? { docId: place >> 1 } : { image_url: `u${place}` }),
      },
    })),
  };
}

const TEMPLATES = [1, 4, 11, 19] as const;

export const OCR_CHART: readonly HubSet[] = [
  {
    name: 'chart-qa',
    file: 'lmms-lab/ChartQA/data/test-00000-of-00001-e2cd0b7a0f9eb20d.parquet',
    columns: { type: 'VARCHAR', question: 'VARCHAR', answer: 'VARCHAR', image: 'image' },
    rows: answers((place) => ({
      right: String(100 + place),
      cells: {
        type: place % 2 === 0 ? 'human_test' : 'augmented_test',
        question: `What is the value of bar ${place}?`,
        answer: String(100 + place),
        image: PICTURE,
      },
    })),
  },
  {
    name: 'charxiv-dq',
    file: 'princeton-nlp/CharXiv/val.parquet',
    columns: {
      image: 'image',
      figure_path: 'VARCHAR',
      subplot_row: 'BIGINT',
      subplot_col: 'BIGINT',
      subplot_loc: 'VARCHAR',
      ...Object.fromEntries(
        [1, 2, 3, 4].flatMap((part) => [
          [`descriptive_q${part}`, 'BIGINT' as const],
          [`descriptive_a${part}`, 'VARCHAR' as const],
        ]),
      ),
    },
    rows: answers(
      (place) => ({
        right: (question) => (question.includes('title') ? `Figure ${place}` : '3'),
        cells: {
          image: PICTURE,
          figure_path: `images/${place}.jpg`,
          subplot_row: place === 0 ? 0 : 1,
          subplot_col: place === 0 ? 0 : 2,
          subplot_loc: place === 3 ? 'the upper plot' : null,
          ...Object.fromEntries(
            TEMPLATES.flatMap((template, part) => [
              [`descriptive_q${part + 1}`, template],
              [`descriptive_a${part + 1}`, template === 1 ? `Figure ${place}` : '3'],
            ]),
          ),
        },
      }),
      ['correct', 'wrong', 'truncated', 'correct', 'skipped'],
    ),
  },
  docvqa('doc-vqa', 'DocVQA', 'test', false),
  docvqa('doc-vqa-val', 'DocVQA', 'validation', true),
  {
    name: 'ocr-bench',
    file: 'echo840/OCRBench/data/test-00000-of-00001.parquet',
    columns: {
      dataset: 'VARCHAR',
      question: 'VARCHAR',
      question_type: 'VARCHAR',
      answer: 'VARCHAR[]',
      image: 'image',
    },
    rows: answers((place) => ({
      right: `It says word${place}.`,
      cells: {
        dataset: place === 7 ? 'HME100k' : 'IIIT5K',
        question: `what is written in image ${place}?`,
        question_type: 'Regular Text Recognition',
        answer: [`word${place}`],
        image: PICTURE,
      },
    })),
  },
  ...['lmms-lab/ai2d', 'Efficient-Large-Model/ai2d-no-mask'].map(
    (repo, masked): HubSet => ({
      name: masked === 0 ? 'ai2d' : 'ai2d-no-mask',
      file: `${repo}/data/test-00000-of-00001.parquet`,
      columns: { question: 'VARCHAR', options: 'VARCHAR[]', answer: 'VARCHAR', image: 'image' },
      rows: choices((place) => ({
        question: `What does label ${place} point at?`,
        options: [...OPTIONS],
        answer: String(place % 4),
        image: PICTURE,
      })),
    }),
  ),
  docvqa('info-vqa', 'InfographicVQA', 'test', false),
  docvqa('info-vqa-val', 'InfographicVQA', 'validation', true),
];
