// Collectives between real processes against plain arithmetic, and what a rank says when another
// dies, hangs, or never comes.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { type RankResult, runRanks, startRanks } from '../../test/support/ranks.ts';
import { firstHost, placeOf } from './place.ts';

const PROGRAM = fileURLToPath(
  new URL('../../test/support/collectives-program.ts', import.meta.url),
);

function linesOf(result: RankResult | undefined): Map<string, unknown> {
  assert.equal(result?.code, 0, result?.errors);
  const lines = (result?.output ?? '').trim().split('\n');
  return new Map(lines.map((line) => JSON.parse(line) as [string, unknown]));
}

for (const size of [2, 3]) {
  test(`${size} ranks: every collective equals plain arithmetic`, async () => {
    const results = await runRanks(PROGRAM, size, ['all']);
    const ranks = Array.from({ length: size }, (_, rank) => rank);
    const mine = (rank: number): number[] =>
      Array.from({ length: 2 * size }, (_, i) => rank * 100 + i + 0.25);
    const sum = mine(0).map((_, i) => ranks.reduce((total, r) => total + (mine(r)[i] ?? 0), 0));
    for (const rank of ranks) {
      const lines = linesOf(results[rank]);
      assert.deepEqual(lines.get('all-reduce'), sum);
      assert.deepEqual(lines.get('max'), mine(size - 1));
      assert.deepEqual(lines.get('all-gather'), ranks.flatMap(mine));
      assert.deepEqual(lines.get('all-gather-into'), ranks.flatMap(mine));
      assert.deepEqual(lines.get('reduce-scatter'), sum.slice(2 * rank, 2 * rank + 2));
      const parts = ranks.flatMap((r) => mine(r).slice(2 * rank, 2 * rank + 2));
      assert.deepEqual(lines.get('all-to-all'), parts);
      assert.deepEqual(lines.get('broadcast'), mine(1));
      assert.deepEqual(
        lines.get('many 2'),
        sum.map((value) => 3 * value),
      );
      if (rank !== 1) assert.deepEqual(lines.get('sub'), [size === 2 ? 1 : 4]);
      const said = ranks.map((r) => ({ rank: r, text: 'ü'.repeat(r) }));
      assert.deepEqual(lines.get('exchange'), said);
      const [total, tenths] = lines.get('sum') as [number, number];
      assert.equal(total, (size * (size - 1)) / 2);
      assert.ok(Math.abs(tenths - size / 10) < 1e-12);
      assert.equal(lines.get('leak'), 0);
      assert.ok((lines.get('bytes') as number) > 0);
    }
  });
}

test('a rank that dies is noticed at once and named with the collective', async () => {
  const [first, second] = await runRanks(PROGRAM, 2, ['dies']);
  assert.doesNotMatch(first?.errors ?? '', /Timed out/);
  assert.equal(second?.code, 3);
  assert.equal(first?.code, 7);
  assert.match(first?.errors ?? '', /rank 0: expected all-gather 2 \(weights of block 3\) to end/);
  assert.match(
    first?.errors ?? '',
    /rank 1 has not begun it, its last is all-reduce 3 of own \(own\)/,
  );
});

test('a rank that hangs is named after the time-out', async () => {
  const [first] = await runRanks(PROGRAM, 2, ['hangs', '2000']);
  assert.equal(first?.code, 7);
  assert.match(first?.errors ?? '', /within 2 s, came: .*rank 1 has not begun it/s);
});

test('a rank that gives no sign of life is named long before the time-out', async () => {
  const { children, results } = await startRanks(PROGRAM, 2, ['is stopped', '60000', '2000']);
  children[0]?.once('close', () => children[1]?.kill('SIGKILL'));
  const start = performance.now();
  const [first] = await results;
  assert.ok(performance.now() - start < 30_000);
  assert.equal(first?.code, 7);
  const expected =
    /rank 0: expected all-gather 2 \(weights of block 3\) .*no sign of life of rank 1/;
  assert.match(first?.errors ?? '', expected);
});

test('a rank that never comes is an error that names the meeting place', async () => {
  const [only] = await runRanks(PROGRAM, 1, ['all', '1500'], { WORLD_SIZE: '2' });
  assert.equal(only?.code, 7);
  assert.match(only?.errors ?? '', /expected rank 0 to meet the other 1 ranks at 127\.0\.0\.1:/);
});

test('the place of a rank is read as torchrun and Slurm say it', () => {
  assert.equal(placeOf({}).size, 1);
  assert.equal(placeOf({ SLURM_JOB_ID: '7', SLURM_NTASKS: '4' }).size, 1);
  const torchrun = { RANK: '3', WORLD_SIZE: '4', LOCAL_RANK: '1', LOCAL_WORLD_SIZE: '2' };
  assert.deepEqual(placeOf({ ...torchrun, MASTER_ADDR: 'a', MASTER_PORT: '5' }), {
    rank: 3,
    size: 4,
    localRank: 1,
    localSize: 2,
    host: 'a',
    port: 5,
  });
  const slurm = {
    SLURM_PROCID: '5',
    SLURM_STEP_NUM_TASKS: '8',
    SLURM_LOCALID: '1',
    SLURM_STEP_TASKS_PER_NODE: '4(x2)',
    SLURM_STEP_NODELIST: 'gpu[07-08]',
    SLURM_JOB_ID: '31234',
  };
  assert.deepEqual(placeOf(slurm), {
    rank: 5,
    size: 8,
    localRank: 1,
    localSize: 4,
    host: 'gpu07',
    port: 30_734,
  });
  assert.equal(firstHost('node-3'), 'node-3');
  assert.equal(firstHost('a1,b2'), 'a1');
  assert.equal(firstHost('rack[2,5-9].local,x'), 'rack2.local');
  const usage = { name: 'OneVisionError', code: 'usage' };
  assert.throws(() => placeOf({ RANK: '2', WORLD_SIZE: '2' }), usage);
  assert.throws(() => placeOf({ RANK: '0' }), { ...usage, message: /WORLD_SIZE/ });
  assert.throws(() => placeOf({ RANK: 'x', WORLD_SIZE: '2' }), { ...usage, message: /RANK/ });
});
