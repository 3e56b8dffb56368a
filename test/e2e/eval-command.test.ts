// `onevision eval` as a process: all benchmarks over two processes by an endpoint, killed and resumed,
// with every report; and a model folder.
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { PAPER_BENCHMARKS } from '../../src/eval/benchmarks/index.ts';
import { type PlanServer, startPlanServer } from '../support/hub/server.ts';
import { writeHubSets } from '../support/hub/write.ts';

const root = mkdtempSync(join(tmpdir(), 'onevision-eval-command-'));
const data = join(root, 'data');
let server: PlanServer;
before(async () => {
  server = await startPlanServer(await writeHubSets(data));
});
after(async () => {
  await server[Symbol.asyncDispose]();
  rmSync(root, { recursive: true, force: true });
});

interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A process group of its own, so that a kill reaches its children too. */
function start(...args: string[]): { child: ChildProcess; ended: Promise<Ended> } {
  const argv = ['--disable-warning=ExperimentalWarning', 'src/cli/main.ts', 'eval', ...args];
  const child = spawn(process.execPath, argv, { detached: true });
  let [stdout, stderr] = ['', ''];
  child.stdout.on('data', (chunk) => {
    stdout += chunk;
  });
  child.stderr.on('data', (chunk) => {
    stderr += chunk;
  });
  const ended = new Promise<Ended>((resolve) => {
    child.on('close', (code) => resolve({ code, stdout, stderr }));
  });
  return { child, ended };
}

const BENCHMARKS = PAPER_BENCHMARKS;
const NAMES = BENCHMARKS.map(({ name }) => name);
const run = (output: string): ReturnType<typeof start> =>
  start(
    ...NAMES,
    '--endpoint',
    server.url,
    ...['--model', 'planned', '--data', data, '--output', output, '--partial'],
    ...['--workers', '2', '--json'],
  );

test('killed in the middle and run again: no item is answered twice, none is lost', async () => {
  const output = join(root, 'out');
  const stalled = new Promise<void>((resolve) => {
    server.before = (_, number) => {
      if (number < 60) return false;
      resolve();
      return true;
    };
  });
  const first = run(output);
  await Promise.race([stalled, first.ended]);
  await new Promise((resolve) => setTimeout(resolve, 400));
  assert.ok(first.child.pid !== undefined);
  process.kill(-first.child.pid, 'SIGKILL');
  await first.ended;
  const numAnswered = [...server.answered.values()].reduce((sum, count) => sum + count, 0);
  assert.ok(numAnswered > 40, `${numAnswered} answers before the kill`);
  assert.ok(!existsSync(join(output, 'results.json')));

  server.before = () => false;
  const { code, stdout, stderr } = await run(output).ended;
  assert.equal(code, 0, stderr);
  const summaries: { benchmark: string; items: number }[] = JSON.parse(stdout);
  assert.deepEqual(summaries.map(({ benchmark }) => benchmark).sort(), [...NAMES].sort());
  // What the endpoint refused is asked anew by every run; everything else was answered once.
  const twice = [...server.answered].filter(([, count]) => count > 1);
  assert.deepEqual(twice, []);
  assert.ok(server.answered.size > 150);
  for (const { benchmark, items } of summaries) {
    const file = join(output, benchmark, 'samples.jsonl');
    // Strict counts one of the three wordings in which MathVista asks each question.
    const asked = benchmark === 'math-vista' ? 3 * items : items;
    assert.equal(readFileSync(file, 'utf8').trim().split('\n').length, asked, benchmark);
    assert.ok(!readdirSync(join(output, benchmark)).some((name) => name.startsWith('answers')));
  }
});

test('the reports of a measurement: table, LaTeX, page, results as lmms-eval writes them', () => {
  const output = join(root, 'out');
  const read = (name: string): string => readFileSync(join(output, name), 'utf8');
  const table = read('report.md').split('\n');
  assert.match(read('report.md'), /\*\*General VQA average\*\* \| \*\*\d+\.\d\*\*/);
  assert.match(
    read('report.md'),
    /\*\*OCR & Chart average \(\d of 7\)\*\*/,
    'two splits are hidden',
  );
  assert.equal(table.filter((line) => line.startsWith('| ')).length, NAMES.length + 4 + 2);
  assert.match(read('report.md'), /\| DocVQA \| n\/a \|/);
  assert.match(read('report.tex'), /\\begin\{tabular\}[\s\S]*OCR \\& Chart average/);
  const page = read('report.html');
  assert.match(page, /<option value="">all outcomes/);
  assert.ok(!/src="http|href="http/.test(page), 'nothing is loaded from elsewhere');
  const items = JSON.parse(/id="items">(.*)<\/script>/.exec(page)?.[1] ?? '[]');
  assert.ok(items.length > 200);
  assert.match(items[0].images[0], /^data:image\/jpeg;base64,/);
  const lmms = JSON.parse(read('lmms_results.json'));
  assert.ok('mmmu_acc,none' in lmms.results.mmmu_val);
  assert.deepEqual(lmms['n-samples'].mmmu_val, { original: 900, effective: 9 });
  assert.equal(read('lmms_samples_mmmu_val.jsonl').trim().split('\n').length, 9);
});

test('--list names every data set and the command that fetches what is missing', async () => {
  const { stdout } = await start('--list', '--data', join(root, 'nothing')).ended;
  for (const { name } of PAPER_BENCHMARKS) assert.match(stdout, new RegExp(`^${name} `, 'm'));
  assert.match(stdout, /huggingface-cli download --repo-type dataset lmms-lab\/ChartQA/);
  const { stdout: json } = await start('--list', '--data', data, '--json').ended;
  const listed: { name: string; isHere: boolean }[] = JSON.parse(json);
  assert.ok(listed.filter(({ isHere }) => isHere).length >= 27);
});

test('wrong words are named before anything is asked', async () => {
  const unknown = await start('mmmuu', '--endpoint', server.url, '--model', 'planned').ended;
  assert.equal(unknown.code, 2);
  assert.match(unknown.stderr, /No benchmark is called mmmuu/);
  const args = ['--endpoint', server.url, '--model', 'planned', '--data', data];
  const profile = await start('mmmu', ...args, '--profile', 'lenient').ended;
  assert.match(profile.stderr, /Expected --profile strict, official, lmms-v0\.5, lmms-head/);
});
