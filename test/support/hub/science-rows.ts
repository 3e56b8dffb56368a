// ScienceQA of any size without pictures: questions of 5 to 45 words, four options each.
import { createRandom } from '../../../src/core/hash.ts';
import type { HubSet } from './row.ts';

/** Where the set lies and what its table has. */
export const SCIENCE_QA: Pick<HubSet, 'name' | 'file' | 'columns'> = {
  name: 'science-qa',
  file: 'lmms-lab/ScienceQA/ScienceQA-FULL/test-00000-of-00001.parquet',
  columns: {
    image: 'image',
    question: 'VARCHAR',
    choices: 'VARCHAR[]',
    answer: 'BIGINT',
    hint: 'VARCHAR',
    subject: 'VARCHAR',
  },
};

const WORDS = ['alpha', 'beta', 'gamma', 'delta'];

export function scienceQa(numRows: number): HubSet {
  const random = createRandom('science-rows');
  const words = (count: number): string =>
    Array.from({ length: count }, () => WORDS[random.int(4)]).join(' ');
  return {
    ...SCIENCE_QA,
    rows: Array.from({ length: numRows }, () => ({
      wanted: 'correct',
      right: 'A',
      wrong: 'B',
      cells: {
        question: words(5 + random.int(40)),
        choices: [words(3), words(2), words(4), words(1)],
        answer: random.int(4),
        hint: '',
      },
    })),
  };
}
