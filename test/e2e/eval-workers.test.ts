// `onevision eval --model DIR --workers 2` as processes, one of them killed: the scores of one process.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync, globSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { scienceQa } from '../support/hub/science-rows.ts';
import { HUB_SETS, writeHubSets } from '../support/hub/write.ts';
import { runCommand } from '../support/run-command.ts';
import { saveSmallCheckpoint } from '../support/small-checkpoint.ts';

const root = mkdtempSync(join(tmpdir(), 'onevision-eval-workers-'));
const [data, model] = [join(root, 'data'), join(root, 'model')];
/** Two shards, and one of a set with pictures. */
const [ROWS, SHARD] = [320, 256];
const NAMES = ['science-qa', 'ai2d'];
before(async () => {
  await writeHubSets(data, [scienceQa(ROWS), ...HUB_SETS.filter(({ name }) => name === 'ai2d')]);
  await saveSmallCheckpoint(model);
});
after(() => rmSync(root, { recursive: true, force: true }));

interface Ended {
  readonly code: number | null;
  readonly output: string;
}

function argsOf(output: string, workers: number): string[] {
  const given = ['--model', model, '--data', data, '--output', output, '--partial'];
  return ['eval', ...NAMES, ...given, '--workers', String(workers)];
}

function evaluate(output: string, workers: number): Promise<Ended> {
  const argv = ['--disable-warning=ExperimentalWarning', 'src/cli/main.ts'];
  const child = spawn(process.execPath, [...argv, ...argsOf(output, workers)]);
  let text = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk) => {
      text += chunk;
    });
  }
  return new Promise((resolve) => {
    child.on('close', (code) => resolve({ code, output: text }));
  });
}

/** The process that treats the shards of rank 0, by its command line: … FOLDER RANK WORLD. */
function firstWorker(output: string): number | undefined {
  const found = readdirSync('/proc').find((name) => {
    const file = `/proc/${name}/cmdline`;
    if (!/^\d+$/.test(name) || !existsSync(file)) return false;
    const [folder = '', rank, world] = readFileSync(file, 'utf8').split('\u0000').slice(-4);
    return folder.startsWith(output) && rank === '0' && world === '2';
  });
  return found === undefined ? undefined : Number(found);
}

test('two processes, one of them killed, give what one gives; nothing is asked twice', {
  skip: existsSync('/proc/self/cmdline') ? false : 'there is no /proc to find the process in',
}, async () => {
  const [one, two] = [join(root, 'one'), join(root, 'two')];
  const alone = await runCommand(argsOf(one, 1));
  assert.equal(alone.status, 0, alone.output);

  let answered = '';
  const watch = setInterval(() => {
    const [partial] = globSync(join(two, 'science-qa', 'answers-*', `0000000-${SHARD}.partial`));
    if (answered !== '' || partial === undefined) return;
    const [lines, worker] = [readFileSync(partial, 'utf8'), firstWorker(two)];
    if (!lines.includes('\n') || worker === undefined) return;
    process.kill(worker, 'SIGKILL');
    answered = readFileSync(partial, 'utf8');
  }, 5);
  const ended = await evaluate(two, 2);
  clearInterval(watch);
  assert.equal(ended.code, 0, ended.output);
  assert.match(ended.output, /process 0 of 2 was ended by SIGKILL/);

  const lines = (folder: string, name: string): string[] =>
    readFileSync(join(folder, name, 'samples.jsonl'), 'utf8')
      .trim()
      .split('\n');
  const [whole, rows] = [lines(one, 'science-qa'), lines(two, 'science-qa')];
  assert.equal(rows.length, ROWS);
  assert.deepEqual(rows.slice(SHARD), whole.slice(SHARD), 'the other process, to the byte');
  assert.deepEqual(lines(two, 'ai2d'), lines(one, 'ai2d'));
  const replies = (all: readonly string[]): Map<string, string> =>
    new Map(all.map((line) => [JSON.parse(line).uid, JSON.parse(line).prediction]));
  const [first, second] = [replies(whole), replies(rows)];
  assert.deepEqual([...second.keys()], [...first.keys()], 'none lost, none twice, in order');
  // What was answered before the kill stands as it was written.
  const kept = replies(answered.slice(0, answered.lastIndexOf('\n')).split('\n'));
  for (const [uid, reply] of kept) assert.equal(second.get(uid), reply);
  // Other prompts share a batch after the kill: the last bit of a sum may differ, but no more.
  const same = [...second].filter(([uid, reply]) => first.get(uid) === reply).length;
  assert.ok(same >= 0.99 * ROWS, `${same} of ${ROWS} replies are the same`);
  const summary = (folder: string) =>
    JSON.parse(readFileSync(join(folder, 'science-qa', 'summary.json'), 'utf8'));
  assert.equal(summary(two).identity, summary(one).identity);
  assert.ok(Math.abs(summary(two).accuracy - summary(one).accuracy) <= 0.01);
});
