// The paper's table in its three forms, the page that runs nothing it shows, lmms-eval's results, and two
// measurements compared.
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { PAPER_BENCHMARKS } from '../benchmarks/index.ts';
import type { ItemResult, Summary } from '../outcome.ts';
import { PUBLISHED, PUBLISHED_AVERAGES } from '../published.ts';
import { compareFolders, comparisonTable } from './compare.ts';
import { htmlPage } from './html-page.ts';
import { lmmsResults } from './lmms-json.ts';
import { paperTable } from './paper-table.ts';

const root = mkdtempSync(join(tmpdir(), 'onevision-tables-'));
test.after(() => rmSync(root, { recursive: true, force: true }));

const none = {
  'model-error': 0,
  'judge-error': 0,
  skipped: 0,
  refused: 0,
  truncated: 0,
  unparsed: 0,
};
const summaryOf = (benchmark: string, title: string, accuracy: number): Summary => ({
  format: 'onevision-eval/1',
  benchmark,
  title,
  identity: '0123456789abcdef',
  scorer: 'choice strict',
  items: 100,
  correct: 100 * accuracy,
  accuracy,
  interval: { low: accuracy - 0.1, high: accuracy + 0.1 },
  intervalMethod: 'wilson',
  outcomes: { ...none, correct: 100 * accuracy, wrong: 100 - 100 * accuracy },
});

test('27 rows in four groups, each with its average; the paper gives its own averages back', () => {
  const values = Object.fromEntries(PUBLISHED.map((row) => [row.benchmark, row.values[0] ?? 0]));
  const published = { title: 'the paper', values };
  const summaries = PAPER_BENCHMARKS.map(({ name, title }) =>
    summaryOf(name, title, (values[name] ?? 0) / 100),
  );
  const text = paperTable(summaries, 'text', { published }).split('\n');
  assert.equal(text.length, 1 + 27 + 4);
  const averages = text.filter((line) => / average/.test(line));
  const shown = averages.map((line) => Number(/average\s+([\d.]+)/.exec(line)?.[1]));
  Object.values(PUBLISHED_AVERAGES).forEach(([printed = 0], index) => {
    assert.ok(Math.abs((shown[index] ?? 0) - printed) <= 0.11, averages[index]);
  });
});

test('a group that is not whole says so; LaTeX and Markdown keep odd names', () => {
  const odd = summaryOf('mmmu', 'A_b & 5 % | ^c', 0.5);
  const markdown = paperTable([{ ...odd, warnings: ['half of it'] }], 'markdown');
  assert.match(markdown, /\| A_b & 5 % \\\| \^c \| 50\.0 \|/);
  assert.match(markdown, /\*\*Reasoning average \(1 of 6\)\*\*/);
  assert.match(markdown, /- A_b & 5 % \| \^c: half of it/);
  const latex = paperTable([odd], 'latex');
  assert.match(latex, /A\\_b \\& 5 \\% \| \\textasciicircum\{\}c & 50\.0 & 40\.0 -- 60\.0/);
});

test('the page shows what models wrote and runs none of it', () => {
  const evil = '</script><script>alert(1)</script><img src=x onerror=alert(2)>';
  const item = {
    benchmark: 'x',
    uid: 'x:0',
    images: [],
    question: evil,
    answer: evil,
    prediction: evil,
    parsed: '',
    outcome: 'wrong' as const,
    marks: {},
    reason: '',
  };
  const page = htmlPage({
    title: evil,
    table: [['a'], [evil]],
    notes: [evil],
    items: [item],
    numLeftOut: 0,
  });
  assert.equal(page.match(/<script/g)?.length, 2, 'ours and the data');
  assert.ok(!page.includes('<img src=x'));
  assert.equal(JSON.parse(/id="items">(.*)<\/script>/.exec(page)?.[1] ?? '')[0].question, evil);
});

test('results as lmms-eval writes them', () => {
  const { results, ...rest } = lmmsResults('m', [summaryOf('chart-qa', 'ChartQA', 0.5)]) as {
    results: Record<string, Record<string, number>>;
  };
  assert.equal(results['chartqa']?.['relaxed_overall,none'], 0.5);
  assert.deepEqual(Object.keys(rest), ['configs', 'versions', 'n-samples', 'config', 'onevision']);
});

function write(
  folder: string,
  name: string,
  outcomes: readonly boolean[],
  more: Partial<Summary>,
): void {
  const dir = join(root, folder, name);
  mkdirSync(dir, { recursive: true });
  const rows = outcomes.map(
    (right, index): ItemResult => ({
      uid: `u${index}`,
      group: `u${index}`,
      question: 'q',
      answer: 'a',
      prediction: 'p',
      outcome: right ? 'correct' : 'wrong',
    }),
  );
  writeFileSync(join(dir, 'samples.jsonl'), rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
  writeFileSync(
    join(dir, 'summary.json'),
    JSON.stringify({ ...summaryOf(name, name, 0.5), ...more }),
  );
}

test('two measurements: exact McNemar, Holm over the table, what differs besides the model', () => {
  const half = Array.from({ length: 40 }, (_, index) => index < 20);
  write('a', 'one', half, {});
  write(
    'b',
    'one',
    half.map((right, index) => right || index < 32),
    { scorer: 'choice lmms-v0.5' },
  );
  write('a', 'two', half, {});
  write('b', 'two', half, {});
  write('b', 'three', half, {});
  const rows = compareFolders(join(root, 'a'), join(root, 'b'));
  assert.deepEqual(
    rows.map(({ benchmark }) => benchmark),
    ['one', 'two'],
  );
  const [one, two] = rows;
  assert.deepEqual([one?.onlyFirst, one?.onlySecond, one?.method], [0, 12, 'mcnemar-exact']);
  assert.ok(Math.abs((one?.pValue ?? 0) - 2 * 0.5 ** 12) < 1e-12);
  assert.ok(Math.abs((one?.adjusted ?? 0) - 4 * 0.5 ** 12) < 1e-12);
  assert.equal(two?.pValue, 1);
  const table = comparisonTable(rows);
  assert.match(table, /one +50\.0 +80\.0 +\+30\.0 .* \*/);
  assert.match(table, /one: scored as choice strict and as choice lmms-v0\.5/);
  assert.throws(() => compareFolders(join(root, 'a'), join(root, 'b'), ['three']), {
    code: 'data',
  });
  write('c', 'two', half.slice(1), {});
  assert.throws(() => compareFolders(join(root, 'a'), join(root, 'c')), /same items in both runs/);
});
