// Sinks: what TensorBoard and wandb read of them (test/parity/read-sinks.py), or that the bytes are those
// they have read; checks by published vectors, and that a run feeds them.
import assert from 'node:assert/strict';
import { globSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { needsPython, runPython } from '../../../test/support/python.ts';
import { sha256Hex } from '../../core/hash.ts';
import { Run } from '../run.ts';
import { openSinks } from './open-sinks.ts';
import { crc32c, openTensorboard, record } from './tensorboard.ts';
import { openWandb } from './wandb.ts';

const dir = mkdtempSync(join(tmpdir(), 'sinks-'));
after(() => rmSync(dir, { recursive: true }));

const golden = JSON.parse(
  readFileSync(new URL('../../../test/parity/golden/sinks.json', import.meta.url), 'utf8'),
) as { readonly sha256: readonly string[] };

/** 300 steps of metrics at fixed times: the log of wandb crosses borders of blocks. */
function writeBoth(): { events: string; file: string } {
  for (const name of ['tensorboard', 'wandb'])
    rmSync(join(dir, name), { recursive: true, force: true });
  let time = 1_790_000_000_000;
  const now = (): number => {
    time += 500;
    return time;
  };
  const events = join(dir, 'tensorboard');
  const sinks = [
    openTensorboard(events, now),
    openWandb(join(dir, 'wandb'), { project: 'onevision', name: 'demo', now }),
  ];
  for (let step = 1; step <= 300; step += 1) {
    const values = { 'train/loss': 5 / step, 'perf/mfu': Number.NaN, 'data/num_skipped': step % 7 };
    for (const sink of sinks) sink.log(step, { ...values, 'train/loss_größe': step / 3 });
  }
  for (const sink of sinks) sink.close();
  const [file = ''] = globSync(join(dir, 'wandb/*/*.wandb'));
  return { events, file };
}

test('the files are those that TensorBoard and wandb have read', () => {
  const { events, file } = writeBoth();
  const [event = ''] = globSync(join(events, '*'));
  const hashes = [event, file].map((path) => sha256Hex(readFileSync(path)));
  assert.deepEqual(hashes, golden.sha256);
});

interface Answer {
  readonly scalars: Readonly<Record<string, readonly [number, number, number][]>>;
  readonly records: readonly {
    readonly kind: string;
    readonly step?: number;
    readonly values?: Readonly<Record<string, number>>;
  }[];
}

test('TensorBoard and wandb read back what was logged', needsPython('sinks'), () => {
  const { events, file } = writeBoth();
  const script = 'test/parity/read-sinks.py';
  const { scalars, records } = runPython('sinks', script, [events, file]) as Answer;
  const steps = Array.from({ length: 300 }, (_, i) => i + 1);
  const logged: Readonly<Record<string, (step: number) => number>> = {
    'train/loss': (step) => 5 / step,
    'data/num_skipped': (step) => step % 7,
    'train/loss_größe': (step) => step / 3,
  };
  assert.deepEqual(Object.keys(scalars).sort(), Object.keys(logged).sort());
  const history = records.filter(({ kind }) => kind === 'history');
  assert.deepEqual(
    history.map(({ step }) => step),
    steps,
  );
  for (const [name, at] of Object.entries(logged)) {
    assert.deepEqual(
      scalars[name]?.map(([step, , value]) => [step, value]),
      steps.map((step) => [step, Math.fround(at(step))]),
    );
    assert.deepEqual(
      history.map(({ values }) => values?.[name]),
      steps.map(at),
    );
  }
  assert.deepEqual([records[0]?.kind, records.at(-1)?.kind], ['run', 'exit']);
});

test('crc32c has the values of RFC 3720, B.4', () => {
  assert.equal(crc32c(Buffer.alloc(32)), 0x8a9136aa);
  assert.equal(crc32c(Buffer.alloc(32, 0xff)), 0x62a8ab43);
  assert.equal(crc32c(Uint8Array.from({ length: 32 }, (_, i) => i)), 0x46dd794e);
  assert.equal(record(Buffer.from('x')).length, 8 + 4 + 1 + 4);
});

test('a run writes its metrics to its sinks too', async () => {
  const at = join(dir, 'run');
  const run = await Run.open(at, { sinks: openSinks(['tensorboard', 'wandb'], at) });
  run.logMetrics(3, 'align', { 'train/loss': 1.5 });
  run.close();
  assert.equal(globSync('tensorboard/events.out.tfevents.*', { cwd: at }).length, 1);
  const [file = ''] = globSync('wandb/offline-run-*/run-*.wandb', { cwd: at });
  assert.match(readFileSync(join(at, file), 'latin1'), /^:W&B[\s\S]*train\/loss[\s\S]*1\.5/);
});
