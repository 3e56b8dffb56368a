// Submissions: what the servers read, and every fault of a run refused by name.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { OneVisionError } from '../../core/errors.ts';
import { makeSubmission, type SubmissionRow, submissionRows } from './submission.ts';
import { xlsx } from './xlsx.ts';

const row = (id: string, prediction: string): SubmissionRow => ({
  uid: `row-${id}`,
  prediction,
  answered: true,
  columns: { questionId: id, index: id, question: 'What?', A: 'cat', B: 'dog', hint: 'a < b' },
});

test('DocVQA: a JSON list with whole-number ids', () => {
  const { fileName, bytes } = makeSubmission('doc-vqa', [row('7', 'ITC'), row('8', 'é"')], 2);
  assert.equal(fileName, 'docvqa_test_for_submission.json');
  assert.deepEqual(JSON.parse(Buffer.from(bytes).toString()), [
    { questionId: 7, answer: 'ITC' },
    { questionId: 8, answer: 'é"' },
  ]);
});

/** The files in a zip without compression, by its central directory. */
function unzip(bytes: Uint8Array): Map<string, string> {
  const zip = Buffer.from(bytes);
  const files = new Map<string, string>();
  let place = zip.readUInt32LE(zip.length - 6);
  for (let entry = 0; entry < zip.readUInt16LE(zip.length - 12); entry++) {
    assert.equal(zip.toString('latin1', place, place + 4), 'PK\u0001\u0002');
    const [size, length] = [zip.readUInt32LE(place + 24), zip.readUInt16LE(place + 28)];
    const name = zip.toString('utf8', place + 46, place + 46 + length);
    const local = zip.readUInt32LE(place + 42);
    assert.equal(zip.toString('latin1', local, local + 4), 'PK\u0003\u0004');
    const start = local + 30 + zip.readUInt16LE(local + 26);
    files.set(name, zip.toString('utf8', start, start + size));
    place += 46 + length;
  }
  return files;
}

test('MMBench: a sheet with a row for each rotation, text escaped', () => {
  const { fileName, bytes } = makeSubmission(
    'mmbench-en',
    [row('1', 'A'), row('1000001', 'B & C')],
    2,
  );
  assert.equal(fileName, 'mmbench_en_test_results.xlsx');
  const sheet = unzip(bytes).get('xl/worksheets/sheet1.xml') ?? '';
  assert.equal([...sheet.matchAll(/<row /g)].length, 3);
  assert.match(sheet, /<c><v>1000001<\/v><\/c>/);
  assert.match(sheet, />B &amp; C</);
  assert.match(sheet, />a &lt; b</);
  assert.match(sheet, />L2-category</);
  assert.deepEqual(xlsx([['a\u0000\ud800b']]), xlsx([['a\ufffdb']]));
});

test('the rows come from stored results; one without reply is seen', () => {
  const item = { uid: 'q7', answers: [], question: 'What?', columns: { questionId: '7' } };
  const base = { uid: 'q7', group: 'g', question: 'What?', answer: '', prediction: 'ITC' };
  const reply = { truncated: false, item, request: 'h' };
  const rows = submissionRows([
    { ...base, outcome: 'skipped', reply },
    { ...base, outcome: 'model-error', reply: { ...reply, failure: 'timed out' } },
  ]);
  assert.deepEqual(
    rows.map(({ answered }) => answered),
    [true, false],
  );
  assert.equal(rows[0]?.columns['questionId'], '7');
});

test('a run with faults is not submitted', () => {
  const bad: [string, SubmissionRow[], number, RegExp][] = [
    ['doc-vqa', [row('7', 'x')], 5188, /5188 rows, came 1/],
    ['doc-vqa', [row('7', 'x'), row('7', 'y')], 2, /once, came 7 twice/],
    ['info-vqa', [row('seven', 'x')], 1, /whole number/],
    ['doc-vqa', [{ ...row('7', ''), answered: false }], 1, /reply to every row/],
    ['mmbench-cn', [{ ...row('7', 'A'), columns: { index: '7' } }], 1, /options A and B/],
  ];
  for (const [name, rows, expected, message] of bad) {
    assert.throws(
      () => makeSubmission(name, rows, expected),
      (error) =>
        error instanceof OneVisionError && error.code === 'data' && message.test(error.message),
    );
  }
  assert.throws(() => makeSubmission('mmstar', []), /No server takes a file for mmstar/);
});
