// Stored results on disk: read back, submitted and compared by the commands; what is missing is named.
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { readStoredResults, scoringOf, storedPredictions } from './stored-results.ts';

const folder = mkdtempSync(join(tmpdir(), 'stored-'));
after(() => rmSync(folder, { recursive: true }));
const main = new URL('../../cli/main.ts', import.meta.url).pathname;
const flags = ['--disable-warning=ExperimentalWarning', main];

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

test('a submission by the command', () => {
  store('doc-vqa', [
    ['ITC', { answers: [], columns: { questionId: '7' } }],
    ['1948', { answers: [], columns: { questionId: '9' } }],
  ]);
  const args = ['replies', 'submission', 'doc-vqa', '--results', folder, '--output', folder];
  const told = JSON.parse(
    execFileSync(process.execPath, [...flags, ...args, '--rows', '2', '--json'], {
      encoding: 'utf8',
    }),
  );
  assert.deepEqual(JSON.parse(readFileSync(told.file, 'utf8')), [
    { questionId: 7, answer: 'ITC' },
    { questionId: 9, answer: '1948' },
  ]);
  const short = spawnSync(process.execPath, [...flags, ...args], { encoding: 'utf8' });
  assert.equal(short.status, 4);
  assert.match(short.stderr, /expected 5188 rows, came 2/);
});

test('disagreements by the command', () => {
  store('cv-bench', [
    ['The answer is D', {}],
    ['D', {}],
  ]);
  const args = ['replies', 'disagreements', 'cv-bench', '--results', folder];
  const shown = execFileSync(process.execPath, [...flags, ...args], { encoding: 'utf8' });
  assert.match(shown, /1 of 2 replies are scored differently/);
  assert.match(shown, /strict above lmms-v0.5: 1, below: 0/);
  assert.match(shown, /lmms-v0.5 0 \(T\)/);
});

test('what is missing is named', () => {
  assert.equal(storedPredictions(readStoredResults(folder, 'cv-bench')).length, 2);
  assert.throws(() => readStoredResults(folder, 'mmstar'), /Expected the results of mmstar/);
  assert.throws(() => scoringOf('counting'), /not scored by profiles/);
  assert.throws(() => scoringOf('nothing'), /No benchmark is called nothing/);
});
