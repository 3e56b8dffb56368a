// Small copies of the ten data sets of the table's general group.
import { choices, EIGHT, type HubSet, LETTERS, type Make, OPTIONS, PICTURE } from './row.ts';
import { SCIENCE_QA } from './science-rows.ts';

function mmbench(language: 'en' | 'cn'): HubSet {
  const cells: Make = (place, letter) => ({
    index: (place % 2) + Math.floor(place / 2) * 1_000_000 + 1,
    question: `Which one is it in ${language}?`,
    hint: place === 0 ? 'Look closely.' : 'nan',
    A: OPTIONS[0],
    B: OPTIONS[1],
    C: OPTIONS[2],
    D: OPTIONS[3],
    answer: letter,
    category: 'identity',
    'L2-category': 'finegrained',
    source: 'drawn',
    split: 'test',
    comment: 'nan',
    image: PICTURE,
  });
  const text = 'VARCHAR';
  return {
    name: `mmbench-${language}`,
    file: `lmms-lab/MMBench/${language}/test-00000-of-00001.parquet`,
    columns: {
      index: 'BIGINT',
      question: text,
      hint: text,
      answer: text,
      A: text,
      B: text,
      C: text,
      D: text,
      category: text,
      'L2-category': text,
      source: text,
      split: text,
      comment: text,
      image: 'image',
    },
    rows: choices(cells),
  };
}

function mmeRealworld(language: 'en' | 'cn'): HubSet {
  const options = OPTIONS.map((option, place) => `(${LETTERS[place]}) ${option}`);
  return {
    name: `mme-realworld-${language}`,
    file: `yifanzhang114/MME-RealWorld-${language === 'cn' ? 'CN-' : ''}Lmms-eval/data/train-00000-of-00001.parquet`,
    columns: {
      index: 'VARCHAR',
      bytes: 'base64',
      question: 'VARCHAR',
      'multi-choice options': 'VARCHAR[]',
      answer: 'VARCHAR',
      category: 'VARCHAR',
      'l2-category': 'VARCHAR',
    },
    rows: choices((place, letter) => ({
      index: String(place),
      bytes: PICTURE,
      question: `What is written on sign ${place}?`,
      'multi-choice options': [...options, '(E) The image does not feature the object.'],
      answer: letter,
      category: 'Perception/OCR with Complex Context',
      'l2-category': 'license',
    })),
  };
}

export const GENERAL: readonly HubSet[] = [
  {
    name: 'mmstar',
    file: 'Lin-Chen/MMStar/mmstar.parquet',
    columns: {
      index: 'BIGINT',
      question: 'VARCHAR',
      image: 'image',
      answer: 'VARCHAR',
      category: 'VARCHAR',
      l2_category: 'VARCHAR',
      meta_info: 'VARCHAR',
    },
    rows: choices((place, letter) => ({
      index: place,
      question: `Which one?\nOptions: A: ${OPTIONS[0]}, B: ${OPTIONS[1]}, C: ${OPTIONS[2]}, D: ${OPTIONS[3]}`,
      image: PICTURE,
      answer: letter,
      category: 'logical reasoning',
      l2_category: `sort ${place % 3}`,
      meta_info: '{}',
    })),
  },
  mmbench('en'),
  mmbench('cn'),
  mmeRealworld('en'),
  mmeRealworld('cn'),
  {
    name: 'seed-image',
    file: 'lmms-lab/SEED-Bench/data/test-00000-of-00001.parquet',
    columns: {
      question: 'VARCHAR',
      choice_a: 'VARCHAR',
      choice_b: 'VARCHAR',
      choice_c: 'VARCHAR',
      choice_d: 'VARCHAR',
      answer: 'VARCHAR',
      data_type: 'VARCHAR',
      question_type_id: 'BIGINT',
      image: 'images',
    },
    rows: choices(
      (place, letter) => ({
        question: `What is in scene ${place}?`,
        choice_a: OPTIONS[0],
        choice_b: OPTIONS[1],
        choice_c: OPTIONS[2],
        choice_d: OPTIONS[3],
        answer: letter,
        data_type: place < 8 ? 'image' : 'video',
        question_type_id: place % 3,
        image: PICTURE,
      }),
      [...EIGHT, 'correct', 'correct'],
    ),
  },
  {
    name: 'cv-bench',
    file: 'nyu-visionx/CV-Bench/test_2d.parquet',
    columns: {
      idx: 'BIGINT',
      type: 'VARCHAR',
      task: 'VARCHAR',
      image: 'image',
      question: 'VARCHAR',
      choices: 'VARCHAR[]',
      answer: 'VARCHAR',
      prompt: 'VARCHAR',
      filename: 'VARCHAR',
      source: 'VARCHAR',
    },
    rows: choices((place, letter) => ({
      idx: place,
      type: place < 6 ? '2D' : '3D',
      task: 'Relation',
      image: PICTURE,
      question: `Where is object ${place}?`,
      choices: [...OPTIONS],
      answer: `(${letter})`,
      prompt: `Where is object ${place}? Select from the following choices.\n(A) ${OPTIONS[0]}\n(B) ${OPTIONS[1]}`,
      filename: 'x.png',
      source: ['ADE20K', 'COCO', 'Omni3D'][place % 3] as string,
    })),
  },
  {
    ...SCIENCE_QA,
    rows: choices((place) => ({
      image: place === 0 || place === 1 ? null : PICTURE,
      question: `Which animal is number ${place}?`,
      choices: [...OPTIONS],
      answer: place % 4,
      hint: place === 2 ? 'Animals live.' : '',
      subject: 'natural science',
    })),
  },
  {
    name: 'seed-2-plus',
    file: 'doolayer/SEED-Bench-2-Plus/data/test-00000-of-00001.parquet',
    columns: {
      question: 'VARCHAR',
      choice_A: 'VARCHAR',
      choice_B: 'VARCHAR',
      choice_C: 'VARCHAR',
      choice_D: 'VARCHAR',
      answer: 'VARCHAR',
      question_image_type: 'VARCHAR',
      question_id: 'VARCHAR',
      image: 'image',
    },
    rows: choices((place, letter) => ({
      question: `What does chart ${place} show?`,
      choice_A: OPTIONS[0],
      choice_B: OPTIONS[1],
      choice_C: OPTIONS[2],
      choice_D: OPTIONS[3],
      answer: letter,
      question_image_type: ['chart', 'map', 'web'][place % 3] as string,
      question_id: String(place),
      image: PICTURE,
    })),
  },
  {
    name: 'real-world-qa',
    file: 'lmms-lab/RealWorldQA/data/test-00000-of-00001.parquet',
    columns: { image: 'image', image_path: 'VARCHAR', question: 'VARCHAR', answer: 'VARCHAR' },
    rows: choices((place, letter) => ({
      image: PICTURE,
      image_path: 'x.webp',
      question:
        `Which way is free at crossing ${place}?\n\nA. ${OPTIONS[0]}\nB. ${OPTIONS[1]}\nC. ${OPTIONS[2]}` +
        `\nD. ${OPTIONS[3]}\nPlease answer directly with only the letter of the correct option and nothing else.`,
      answer: letter,
    })),
  },
];
