// Whole commands as jobs on a real Slurm: ranks that know each other, a dead rank that ends the others, a
// stop before the time limit that goes on by itself.
import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { slurmSchema } from '../../src/cluster/slurm/config.ts';
import { followCommand, submitCommand } from '../../src/cluster/slurm/job/command-job.ts';
import { OneVisionError } from '../../src/core/errors.ts';
import { silentLog as log } from '../../src/core/log.ts';
import { isAlive, type LocalSlurm, startSlurm, until, whyNoSlurm } from './local-slurm.ts';

const skip = whyNoSlurm() ?? false;
const root = mkdtempSync(join(tmpdir(), 'onevision-jobs-'));
const standIn = fileURLToPath(new URL('./stand-in.ts', import.meta.url));
const config = slurmSchema.parse({ time: '10' });
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

interface Started {
  readonly dir: string;
  readonly id: string;
  /** Everything that was printed so far. */
  printed(): string;
  readonly end: Promise<void>;
  /** What each start of a rank knew, in order. */
  starts(rank: number): Record<string, unknown>[];
}

async function start(mode: string, after: readonly string[] = []): Promise<Started> {
  const dir = join(mkdtempSync(join(root, 'run-')), 'jobs', 'train');
  const out = join(dir, '..', '..');
  const ranks = { nodes: 1, perNode: 2 };
  const command = { what: 'train', argv: [standIn, out, mode], ranks };
  const id = await submitCommand(command, { dir, config, after, log });
  let text = '';
  const print = (more: string): void => {
    text += more;
  };
  const end = followCommand(command, { dir, log, print });
  end.catch(() => undefined);
  const starts = (rank: number): Record<string, unknown>[] => {
    const path = join(out, `rank-${rank}.jsonl`);
    const lines = existsSync(path) ? readFileSync(path, 'utf8').trimEnd().split('\n') : [];
    return lines.map((line) => JSON.parse(line) as Record<string, unknown>);
  };
  return { dir, id, end, starts, printed: () => text };
}

test('two ranks under srun know each other as under torchrun', { skip }, async () => {
  const { id, end, starts, printed } = await start('end');
  const next = await start('end', [id]);
  await end;
  const [first] = starts(0);
  const [second] = starts(1);
  for (const [rank, known] of [first, second].entries()) {
    assert.equal(known?.['RANK'], String(rank));
    assert.equal(known?.['LOCAL_RANK'], String(rank));
    assert.equal(known?.['WORLD_SIZE'], '2');
    assert.equal(known?.['LOCAL_WORLD_SIZE'], '2');
    assert.match(String(known?.['MASTER_PORT']), /^\d{4,5}$/);
  }
  assert.ok(first?.['MASTER_ADDR']);
  assert.equal(first?.['MASTER_ADDR'], second?.['MASTER_ADDR']);
  assert.equal(first?.['MASTER_PORT'], second?.['MASTER_PORT']);
  assert.match(printed(), /rank 0 is done/);
  await next.end;
  assert.ok(
    Number(next.starts(0)[0]?.['timeMs']) > Number(second?.['timeMs']),
    'one after the other',
  );
});

test('a rank that fails ends the others, with its error', { skip }, async () => {
  const started = performance.now();
  const { id, end, starts } = await start('fail');
  const next = await start('end', [id]);
  await assert.rejects(end, (error: unknown) => {
    assert.ok(error instanceof OneVisionError);
    assert.match(error.message, /rank 1 failed first: error \(data\): expected packs, came none/);
    assert.match(error.message, /exit code 4/);
    return true;
  });
  assert.ok(performance.now() - started < 60_000);
  const pid = Number(starts(0)[0]?.['pid']);
  await until(() => !isAlive(pid), 'the end of rank 0');
  await assert.rejects(next.end, /it was cancelled/);
  assert.deepEqual(next.starts(0), []);
});

test('told to stop, all ranks save, and the job goes on by itself', { skip }, async () => {
  const { dir, id, end, starts, printed } = await start('wait');
  await until(() => starts(0).length + starts(1).length === 2, 'both ranks');
  const other = { what: 'train', argv: [standIn, 'elsewhere'] };
  await assert.rejects(submitCommand(other, { dir, config, log }), /with other arguments/);
  await slurm.call('scancel', '--signal=USR2', '--batch', id);
  await end;
  assert.deepEqual([starts(0).length, starts(1).length], [2, 2]);
  for (const rank of [0, 1]) assert.match(printed(), new RegExp(`rank ${rank} saves`));
  assert.match(printed(), /stopped in good order[\s\S]*rank 0 is done/);
});
