// Stored results on disk: read back, submitted and compared by the commands; what is missing is named.
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { runCommand } from '../../../test/support/run-command.ts';
import { readStoredResults, scoringOf, storedPredictions } from './stored-results.ts';

const folder = mkdtempSync(join(tmpdir(), 'stored-'));
after(() => rmSync(folder, { recursive: true }));

function store(benchmark: string, rows: readonly (readonly [string, object])[]): void {
  const lines = rows.map(([prediction, item], index) =>
    JSON.stringify({
      ...{ uid: `${index}`, group: 'g', question: '?', answer: '', prediction, outcome: 'wrong' },
      reply: {
        truncated: false,
        request: 'r',
        item: { uid: `${index}`, answers: ['D'], options: ['cat', 'dog', 'fox', 'hen'], ...item },
      },
    }),
  );
  mkdirSync(join(folder, benchmark), { recursive: true });
  writeFileSync(
    join(folder, benchmark, 'samples.jsonl'),
    lines.map((line) => `${line}\n`).join(''),
  );
}

test('a submission by the command', async () => {
  store('doc-vqa', [
    ['ITC', { answers: [], columns: { questionId: '7' } }],
    ['1948', { answers: [], columns: { questionId: '9' } }],
  ]);
  const args = ['replies', 'submission', 'doc-vqa', '--results', folder, '--output', folder];
  const told = JSON.parse((await runCommand([...args, '--rows', '2', '--json'])).output);
  assert.deepEqual(JSON.parse(readFileSync(told.file, 'utf8')), [
    { questionId: 7, answer: 'ITC' },
    { questionId: 9, answer: '1948' },
  ]);
  const short = await runCommand(args);
  assert.equal(short.status, 4);
  assert.match(short.output, /expected 5188 rows, came 2/);
});

test('disagreements by the command', async () => {
  store('cv-bench', [
    ['The answer is D', {}],
    ['D', {}],
  ]);
  const args = ['replies', 'disagreements', 'cv-bench', '--results', folder];
  const { output: shown } = await runCommand(args);
  assert.match(shown, /1 of 2 replies are scored differently/);
  assert.match(shown, /strict above lmms-v0.5: 1, below: 0/);
  assert.match(shown, /lmms-v0.5 0 \(T\)/);
});

test('what is missing or damaged is named', () => {
  store('damaged', []);
  const file = join(folder, 'damaged', 'samples.jsonl');
  writeFileSync(file, '{"uid":"1"}\n');
  assert.throws(() => readStoredResults(folder, 'damaged'), {
    code: 'data',
    message: /Expected the result of an item in line 1 of .*damaged/,
  });
  assert.equal(storedPredictions(readStoredResults(folder, 'cv-bench')).length, 2);
  assert.throws(() => readStoredResults(folder, 'mmstar'), /Expected the results of mmstar/);
  assert.throws(() => scoringOf('counting'), /not scored by profiles/);
  assert.throws(() => scoringOf('nothing'), /No benchmark is called nothing/);
});
