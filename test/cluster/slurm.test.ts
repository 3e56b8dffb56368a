// Work on a real Slurm: the same bytes as here, and tasks, daemons and jobs ended in every way.
import assert from 'node:assert/strict';
import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { after, before, test } from 'node:test';
import { type Cluster, runShards } from '../../src/cluster/run-shards.ts';
import { arrayCluster } from '../../src/cluster/slurm/array-cluster.ts';
import { slurmSchema } from '../../src/cluster/slurm/config.ts';
import { OneVisionError } from '../../src/core/errors.ts';
import { sha256Hex } from '../../src/core/hash.ts';
import { createLogger, silentLog } from '../../src/core/log.ts';
import { matchSource } from '../../src/curate/concepts/match-source.ts';
import { curate } from '../../src/curate/curate.ts';
import { mix } from '../../src/curate/mixture/mix.ts';
import { PackConfigSchema } from '../../src/pack/config.ts';
import { pack } from '../../src/pack/pack.ts';
import { writeConceptFolder } from '../support/concept-folder.ts';
import { rawSample, writeRaw } from '../support/raw-samples.ts';
import { TINY_PROCESSOR, tinySamples, writeTinyTokenizer } from '../support/tiny-data.ts';
import { isAlive, type LocalSlurm, startSlurm, until, whyNoSlurm } from './local-slurm.ts';

const skip = whyNoSlurm() ?? false;
const root = mkdtempSync(join(tmpdir(), 'onevision-on-slurm-'));
const cluster: Cluster = arrayCluster({ config: slurmSchema.parse({ tasks: 2, time: '10' }) });
let slurm: LocalSlurm;

before(async () => {
  if (skip !== false) return;
  slurm = await startSlurm();
  Object.assign(process.env, slurm.env);
});
after(async () => {
  if (skip === false) await slurm.stop();
  rmSync(root, { recursive: true, force: true });
});

/** Six shards, dealt to two tasks, those at the given numbers waiting until `go`. */
function work(name: string, waiting: readonly number[]): Work {
  const output = mkdtempSync(join(root, `${name}-`));
  const shards = Array.from({ length: 6 }, (_, i) => `shard-${i}`);
  const waits = waiting.map((i) => `shard-${i}`);
  const module = new URL('../../src/cluster/testing-task.ts', import.meta.url).href;
  const lines: string[] = [];
  const out = { isTty: false, columns: 80, line: (text: string) => lines.push(text), live() {} };
  const log = createLogger(out, { level: 'info', json: false });
  const dir = join(output, 'work');
  const spec = { name, module, config: { output, waits }, shards };
  // Outputs are opened with 'wx': a shard that is finished twice fails.
  const results = runShards(spec, { dir, log, cluster });
  results.catch(() => undefined); // a test that failed before does not wait for it
  return {
    lines,
    at: async (shard) => {
      const path = join(output, `at-shard-${shard}`);
      await until(() => existsSync(path) && readFileSync(path, 'utf8') !== '', path);
      return Number(readFileSync(path, 'utf8'));
    },
    go: () => writeFileSync(join(output, 'go'), ''),
    jobId: () => /Slurm job (\d+)/.exec(lines.join('\n'))?.[1] ?? '',
    jobLog: (rank) => readFileSync(join(dir, 'logs', `rank-000${rank}.log`), 'utf8'),
    results,
  };
}

interface Work {
  readonly lines: readonly string[];
  /** Waits until the shard is under way; the number of its process. */
  at(shard: number): Promise<number>;
  go(): void;
  jobId(): string;
  jobLog(rank: number): string;
  readonly results: Promise<unknown[]>;
}

const ALL_SIX = Array.from({ length: 6 }, () => ({ length: 7 }));

test('curation, matching, mixing and packing as array jobs give the same bytes as here', {
  skip,
}, async () => {
  const things = ['cat', 'dog', 'flag', 'star', 'tree', 'fish'];
  const raw = Array.from({ length: 48 }, (_, i) =>
    rawSample({ uid: `d:${100 + i}`, label: `${things[i % 6]} number ${i}` }),
  );
  await writeRaw(join(root, 'raw'), await Promise.all(raw), 8);
  const tokenizer = await writeTinyTokenizer(root, await tinySamples(50));
  const list = await writeConceptFolder(
    join(root, 'list'),
    things.map((name) => ({ name })),
  );
  const categories = [{ name: 'all', weight: 1, sources: [{ name: 'drawn' }] }];
  const mixture = { name: 'half', categories, total: 20, samplesPerShard: 8 };
  const config = PackConfigSchema.parse({ maxTokens: 128, maxPatches: 256, workers: 1 });
  // In the same place each time: tables of lengths name the archives that they measured.
  const output = join(root, 'output');
  const run = async (on: { readonly cluster?: Cluster }): Promise<Map<string, string>> => {
    rmSync(output, { recursive: true, force: true });
    const [curated, packs] = [join(output, 'curated'), join(output, 'packs')];
    const shared = { ...on, log: silentLog };
    const settings = { config: { samplesPerShard: 8 }, lemmas: things };
    await curate({ input: join(root, 'raw'), output: curated, ...settings, ...shared });
    const matched = { input: curated, output: join(output, 'rows'), concepts: { list } };
    await matchSource({ ...matched, ...shared });
    const mixed = { inputs: [curated], output: join(output, 'mixed'), config: mixture };
    await mix({ ...mixed, ...shared });
    const inputs = [{ dir: curated }];
    const processor = TINY_PROCESSOR;
    await pack({ inputs, output: packs, config, tokenizer, processor, ...shared });
    return bytesOf(output);
  };
  const here = await run({});
  assert.ok(here.size > 8, [...here.keys()].join());
  assert.deepEqual(await run({ cluster }), here);
});

function bytesOf(dir: string): Map<string, string> {
  const files = readdirSync(dir, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
  return new Map(files.sort().map((file) => [relative(dir, file), sha256Hex(readFileSync(file))]));
}

test('a task that is killed is submitted again, and it alone', { skip }, async () => {
  const { lines, at, go, jobId, results } = work('killed', [2, 3]);
  const pids = [await at(2), await at(3)];
  process.kill(pids[0] ?? 0, 'SIGKILL');
  const isGone = async (): Promise<boolean> =>
    !(await slurm.call('squeue', '-h', '--array', '-j', jobId(), '-o', '%K')).includes('0');
  await until(isGone, 'the end of task 0');
  go();
  assert.deepEqual(await results, ALL_SIX);
  assert.match(lines.join('\n'), /tasks ended early, again alone: 0$/m);
  assert.match(lines.at(-1) ?? '', /Slurm job \d+, 1 tasks/);
});

test('scancel --signal finishes the shard, scontrol requeue repeats it: both go on', {
  skip,
}, async () => {
  const { lines, at, go, jobId, jobLog, results } = work('requeued', [0, 3]);
  await at(0);
  const pid = await at(3);
  await slurm.call('scancel', '--signal=USR2', '--batch', `${jobId()}_0`);
  await slurm.call('scontrol', 'requeue', `${jobId()}_1`);
  await until(() => jobLog(0).includes('SIGUSR2'), 'the signal');
  await until(() => !isAlive(pid), 'the end of the requeued task');
  go();
  assert.deepEqual(await results, ALL_SIX);
  assert.match(jobLog(0), /SIGUSR2: stopping after this shard/);
  assert.match(jobLog(1), /DUE TO JOB REQUEUE/);
  assert.equal(lines.filter((line) => line.includes('Slurm job')).length, 1, lines.join('\n'));
});

test('preempted tasks come back by themselves', { skip }, async () => {
  const { lines, at, go, jobLog, results } = work('preempted', [0, 1]);
  const pids = [await at(0), await at(1)];
  const urgent = ['--partition=urgent', '--ntasks=2', '--output=/dev/null', '--wrap=true'];
  await slurm.call('sbatch', ...urgent);
  await until(() => !pids.some(isAlive), 'the end of both tasks');
  go();
  assert.deepEqual(await results, ALL_SIX);
  for (const rank of [0, 1]) assert.match(jobLog(rank), /DUE TO PREEMPTION/);
  assert.equal(lines.filter((line) => line.includes('Slurm job')).length, 1, lines.join('\n'));
});

test('what Slurm refuses is named', { skip }, async () => {
  const config = slurmSchema.parse({ partition: 'nowhere' });
  const spec = { name: 'refused', module: 'file:///none.ts', config: {}, shards: ['a'] };
  const options = { dir: join(root, 'refused'), log: silentLog, cluster: arrayCluster({ config }) };
  await assert.rejects(runShards(spec, options), (error: unknown) => {
    assert.ok(error instanceof OneVisionError && error.code === 'usage');
    assert.match(error.message, /sbatch refused: .*invalid partition/i);
    return true;
  });
});

test('killed slurmctld and slurmd: tasks and the waiting command go on', { skip }, async () => {
  const { lines, at, go, jobId, jobLog, results } = work('daemons', [2, 3]);
  const pids = [await at(2), await at(3)];
  // What the controller did not save yet, it does not know when it comes back: a change makes it save.
  const state = join(slurm.dir, 'state', 'job_state');
  const savedAfter = Date.now();
  await slurm.call('scontrol', 'update', `jobid=${jobId()}`, 'comment=saved');
  await until(() => existsSync(state) && statSync(state).mtimeMs > savedAfter, state);
  await slurm.kill('slurmctld');
  await slurm.kill('slurmd');
  await until(() => lines.some((line) => line.includes('does not answer')), 'a warning');
  slurm.start('slurmctld');
  slurm.start('slurmd');
  await until(async () => (await slurm.call('squeue', '-h')) !== '', 'the queue');
  assert.deepEqual(pids.map(isAlive), [true, true]);
  go();
  assert.deepEqual(await results, ALL_SIX);
  assert.equal(lines.filter((line) => line.includes('Slurm job')).length, 1, lines.join('\n'));
  assert.doesNotMatch(jobLog(0) + jobLog(1), /CANCELLED/);
});
