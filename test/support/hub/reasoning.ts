// Small copies of the six data sets of the reasoning group.
import {
  answers,
  choices,
  EIGHT,
  type HubSet,
  LETTERS,
  OPTIONS,
  PICTURE,
  type SetRow,
  type Wanted,
} from './row.ts';

const python = (list: readonly string[]): string => `[${list.map((one) => `'${one}'`).join(', ')}]`;
const IMAGES = { image_1: 'image', image_2: 'image', image_3: 'image' } as const;

function mmmuRows(question: (place: number) => string, subject?: string): SetRow[] {
  return choices((place, letter) => ({
    id: `validation_Art_${place + 1}`,
    question: question(place),
    options: python(OPTIONS),
    answer: letter,
    question_type: 'multiple-choice',
    ...(subject === undefined ? {} : { subject }),
    image_1: PICTURE,
  }));
}

const kinds = [
  {
    question_type: 'multi_choice',
    answer_type: 'text',
    answer: 'two dogs',
    precision: null,
    right: 'C',
  },
  {
    question_type: 'free_form',
    answer_type: 'integer',
    answer: '14',
    precision: null,
    right: '14',
  },
  { question_type: 'free_form', answer_type: 'float', answer: '1.5', precision: '1', right: '1.5' },
  {
    question_type: 'multi_choice',
    answer_type: 'text',
    answer: 'a red car',
    precision: null,
    right: 'A',
  },
] as const;

const STEPS = [
  '2steps_1',
  '2steps_2',
  '2steps_multi',
  '3steps_1',
  '3steps_2',
  '3steps_3',
  '3steps_multi',
];

export const REASONING: readonly HubSet[] = [
  {
    name: 'math-vista',
    file: 'AI4Math/MathVista/data/testmini-00000-of-00001-725687bf7a18d64b.parquet',
    columns: {
      pid: 'VARCHAR',
      question: 'VARCHAR',
      choices: 'VARCHAR[]',
      unit: 'VARCHAR',
      precision: 'VARCHAR',
      answer: 'VARCHAR',
      question_type: 'VARCHAR',
      answer_type: 'VARCHAR',
      query: 'VARCHAR',
      image: 'VARCHAR',
      decoded_image: 'image',
    },
    rows: answers(
      (place) => {
        const { right, ...kind } = kinds[place % 4] as (typeof kinds)[number];
        const choices = kind.question_type === 'multi_choice' ? [...OPTIONS] : null;
        const cells = {
          ...kind,
          pid: String(place + 1),
          question: `How many dots has picture ${place}?`,
          choices,
          unit: place === 1 ? 'cm' : null,
          query: `Hint: … Question: How many dots has picture ${place}?`,
          image: 'images/1.jpg',
          decoded_image: PICTURE,
        };
        return { right, cells };
      },
      ['correct', 'wrong', 'unparsed', 'correct', 'truncated', 'skipped'],
    ),
  },
  {
    name: 'we-math',
    file: 'We-Math/We-Math/data/testmini-00000-of-00001.parquet',
    columns: {
      ID: 'VARCHAR',
      split: 'VARCHAR',
      'knowledge concept': 'VARCHAR',
      question: 'VARCHAR',
      option: 'VARCHAR',
      answer: 'VARCHAR',
      image_path: 'image',
      key: 'VARCHAR',
      'question number': 'BIGINT',
    },
    rows: [...EIGHT, 'wrong', 'correct'].map((wanted, place) => {
      const key = place < 3 ? STEPS[place] : place < 6 ? STEPS[place - 3] : STEPS[place - 3];
      const letter = LETTERS[place % 4] as string;
      const id = place < 3 ? 'p1' : place < 6 ? 'p2' : 'p3';
      return {
        wanted: wanted as Wanted,
        right: `<think>I see.</think><answer>${letter}</answer>`,
        wrong: `<think>I see.</think><answer>${LETTERS[(place + 1) % 4]}</answer>`,
        cells: {
          ID: id,
          split: 'testmini',
          'knowledge concept': 'angles',
          question: `What is angle ${place}?`,
          option: 'A. 30; B. 40; C. 50; D. 60; E. No correct answer',
          answer: letter,
          image_path: PICTURE,
          key: key as string,
          'question number': place,
        },
      };
    }),
  },
  {
    name: 'math-vision',
    file: 'MathLLMs/MathVision/data/test-00000-of-00001-3532b8d3f1b4047a.parquet',
    columns: {
      id: 'VARCHAR',
      question: 'VARCHAR',
      options: 'VARCHAR[]',
      image: 'VARCHAR',
      decoded_image: 'image',
      answer: 'VARCHAR',
      solution: 'VARCHAR',
      level: 'BIGINT',
      subject: 'VARCHAR',
    },
    rows: answers((place) => {
      const isChoice = place % 2 === 0;
      const answer = isChoice ? 'B' : String(3 + place);
      const cells = {
        id: String(place),
        question: `How long is side ${place}?\n<image1>`,
        options: isChoice ? ['1', '2', '3', '4', '5'] : [],
        image: 'images/1.jpg',
        decoded_image: PICTURE,
        answer,
        solution: null,
        level: 2,
        subject: 'metric geometry',
      };
      return { right: `So it is \\boxed{${answer}}`, cells };
    }),
  },
  {
    name: 'mmmu',
    file: 'lmms-lab/MMMU/data/validation-00000-of-00001.parquet',
    columns: {
      id: 'VARCHAR',
      question: 'VARCHAR',
      options: 'VARCHAR',
      answer: 'VARCHAR',
      question_type: 'VARCHAR',
      ...IMAGES,
    },
    rows: [
      ...mmmuRows((place) => `What is shown in <image 1>, part ${place}?`),
      {
        wanted: 'correct',
        right: '24 apples',
        wrong: 'none',
        cells: {
          id: 'validation_Art_9',
          question: 'How many apples are in <image 1>?',
          options: '[]',
          answer: '24',
          question_type: 'open',
          image_1: PICTURE,
        },
      },
    ],
  },
  {
    name: 'mmmu-pro-standard',
    file: 'MMMU/MMMU_Pro/standard (10 options)/test-00000-of-00001.parquet',
    columns: {
      id: 'VARCHAR',
      question: 'VARCHAR',
      options: 'VARCHAR',
      answer: 'VARCHAR',
      subject: 'VARCHAR',
      ...IMAGES,
    },
    rows: mmmuRows((place) => `What is shown in <image 1>, picture ${place}?`, 'Art'),
  },
  {
    name: 'mmmu-pro-vision',
    file: 'MMMU/MMMU_Pro/vision/test-00000-of-00001.parquet',
    columns: {
      id: 'VARCHAR',
      image: 'image',
      options: 'VARCHAR',
      answer: 'VARCHAR',
      subject: 'VARCHAR',
    },
    rows: choices((place, letter) => ({
      id: `test_Art_${place}`,
      image: PICTURE,
      options: python(OPTIONS),
      answer: letter,
      subject: 'Art',
    })),
  },
];
