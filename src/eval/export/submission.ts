// Files for the servers that keep the answers: RRC (DocVQA, InfoVQA) and MMBench. Checked before
// they are written: every row, once, with a reply.
import { OneVisionError } from '../../core/errors.ts';
import type { ItemResult } from '../outcome.ts';
import { type Cell, xlsx } from './xlsx.ts';

/** One stored reply. `columns` as the benchmark keeps them. */
export interface SubmissionRow {
  readonly uid: string;
  readonly prediction: string;
  /** False where the model gave no reply: such a run is not submitted. */
  readonly answered: boolean;
  readonly columns: Readonly<Record<string, string>>;
}

export interface Submission {
  readonly fileName: string;
  readonly bytes: Uint8Array;
}

/** The rows of a run's `samples.jsonl`. */
export function submissionRows(results: readonly ItemResult[]): SubmissionRow[] {
  return results.map(({ uid, prediction, reply }) => ({
    uid,
    prediction,
    answered: reply !== undefined && reply.failure === undefined,
    columns: {
      question: reply?.item.question ?? '',
      answer: reply?.item.answers[0] ?? '',
      ...reply?.item.columns,
    },
  }));
}

/** Rows of the hidden test sets, by benchmark. */
const SUBMISSIONS: Readonly<Record<string, { rows: number; make: Maker; fileName: string }>> = {
  'doc-vqa': { rows: 5188, make: rrc, fileName: 'docvqa_test_for_submission.json' },
  'info-vqa': { rows: 3288, make: rrc, fileName: 'infovqa_test_for_submission.json' },
  'mmbench-en': { rows: 6666, make: mmbench, fileName: 'mmbench_en_test_results.xlsx' },
  'mmbench-cn': { rows: 6666, make: mmbench, fileName: 'mmbench_cn_test_results.xlsx' },
};
type Maker = (benchmark: string, rows: readonly SubmissionRow[]) => Uint8Array;

/** The benchmarks that have a file for a server. */
export const SUBMITTED: readonly string[] = Object.keys(SUBMISSIONS);

/**
 * @param expected rows of the data set, where it is not the published one
 * @throws OneVisionError `usage` for a benchmark without a server; `data` for a wrong number of rows,
 * a row twice, a row without reply, or an id that is none
 */
export function makeSubmission(
  benchmark: string,
  rows: readonly SubmissionRow[],
  expected?: number,
): Submission {
  const kind = SUBMISSIONS[benchmark];
  if (kind === undefined) {
    throw new OneVisionError('usage', `No server takes a file for ${benchmark}.`, {
      hint: `there is one for: ${SUBMITTED.join(', ')}`,
    });
  }
  const wanted = expected ?? kind.rows;
  if (rows.length !== wanted) refuse(benchmark, `${wanted} rows`, `${rows.length}`);
  const silent = rows.filter(({ answered }) => !answered);
  if (silent.length > 0) {
    refuse(benchmark, 'a reply to every row', `${silent.length} without, first ${silent[0]?.uid}`);
  }
  return { fileName: kind.fileName, bytes: kind.make(benchmark, rows) };
}

/** A JSON list of `{"questionId": …, "answer": …}`. */
function rrc(benchmark: string, rows: readonly SubmissionRow[]): Uint8Array {
  const ids = wholeNumbers(benchmark, rows, 'questionId');
  const entries = rows.map(({ prediction }, place) => ({
    questionId: ids[place],
    answer: prediction.toWellFormed(),
  }));
  return Buffer.from(JSON.stringify(entries));
}

const TEXT_COLUMNS = ['hint', 'source', 'split', 'category', 'L2-category'];

/** One row a record and rotation, in the columns that the server reads; options that exist only. */
function mmbench(benchmark: string, rows: readonly SubmissionRow[]): Uint8Array {
  const ids = wholeNumbers(benchmark, rows, 'index');
  const options = ['A', 'B', 'C', 'D', 'E'];
  const header = ['index', 'question', 'answer', 'prediction', ...TEXT_COLUMNS, ...options];
  const cells = rows.map(({ prediction, columns }, place): Cell[] => [
    ids[place] ?? 0,
    columns['question'] ?? '',
    columns['answer'] ?? '',
    prediction,
    ...[...TEXT_COLUMNS, ...options].map((name) => columns[name] ?? ''),
  ]);
  const lacking = rows.find(({ columns }) => !columns['A'] || !columns['B']);
  if (lacking !== undefined) refuse(benchmark, 'options A and B in every row', lacking.uid);
  return xlsx([header, ...cells]);
}

function wholeNumbers(benchmark: string, rows: readonly SubmissionRow[], column: string): number[] {
  const seen = new Set<number>();
  return rows.map(({ uid, columns }) => {
    const text = columns[column] ?? '';
    const id = Number(text);
    if (!/^\d+$/.test(text) || !Number.isSafeInteger(id)) {
      refuse(benchmark, `a whole number as ${column}`, `${JSON.stringify(text)} in row ${uid}`);
    }
    if (seen.has(id)) refuse(benchmark, `every ${column} once`, `${id} twice`);
    seen.add(id);
    return id;
  });
}

function refuse(benchmark: string, expected: string, came: string): never {
  throw new OneVisionError(
    'data',
    `Submission of ${benchmark}: expected ${expected}, came ${came}.`,
    { hint: 'evaluate the whole test set, without a limit, and export again' },
  );
}
