// What may go wrong while training, and that nothing is lost by it: a bad sample under each policy, a
// full disk, a data worker that dies, a damaged pack.
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import threads from 'node:worker_threads';
import { prepareTinyRun, runTiny } from '../../test/support/tiny-run.ts';
import { OneVisionError } from '../core/errors.ts';
import { sha256Hex } from '../core/hash.ts';
import { readManifest } from '../sample/manifest.ts';
import { setNumThreads } from '../tensor/index.ts';
import { readEvents, readMetrics, readRunInfo } from '../track/read.ts';
import { Assembler } from './data/assemble.ts';

const LAST = 'checkpoints/step-000014';
let dir = '';
let expected = '';
/** Packs in the order they were assembled in a peaceful run: key and visit. */
const seen: string[] = [];
/** The pack whose first picture is not a number, or ''. */
let poison = '';
let poisoned = '';
let imageTokenId = -1;

const assemble = Assembler.prototype.assemble;
Assembler.prototype.assemble = async function (pack, visit) {
  const made = await assemble.call(this, pack, visit);
  seen.push(`${pack.key} ${visit}`);
  if (poison !== `${pack.key} ${visit}`) return made;
  const { batch, uids } = made;
  const imageToken = batch.inputIds.indexOf(imageTokenId);
  const segment = batch.cuSeqlens.findLastIndex((start) => start <= imageToken);
  poisoned = uids[segment] ?? '';
  batch.pixels[3] = Number.NaN;
  return made;
};

before(async () => {
  setNumThreads(1);
  dir = fs.mkdtempSync(join(tmpdir(), 'faults-'));
  await prepareTinyRun(dir);
  const model = await runTiny(dir, 'whole');
  imageTokenId = model.config.imageTokenId;
  model[Symbol.dispose]();
  expected = weightsOf('whole');
  // Seen in mid-train only: the first eight packs are those of align.
  poison = seen.slice(12).find((pack) => !seen.slice(0, 8).includes(pack)) ?? '';
});
after(() => fs.rmSync(dir, { recursive: true }));

function weightsOf(run: string): string {
  return sha256Hex(fs.readFileSync(join(dir, run, LAST, 'model.safetensors')));
}

const isError =
  (code: string, message: RegExp) =>
  (error: unknown): boolean =>
    error instanceof OneVisionError && error.code === code && message.test(error.message);

/** Runs on after the fault is gone; the end must be that of a run without it. */
async function runOn(run: string): Promise<void> {
  assert.equal(readRunInfo(join(dir, run)).status, 'failed');
  const before = poison;
  poison = '';
  (await runTiny(dir, run))[Symbol.dispose]();
  poison = before;
  assert.equal(weightsOf(run), expected);
}

test('a bad sample, policy stop: its name, its step, and the run goes on when it is gone', async () => {
  await assert.rejects(runTiny(dir, 'stop'), isError('numerics', /^step \d+ \(mid-train\).*NaN/));
  const events = await readEvents(join(dir, 'stop'));
  assert.match(events.at(-1)?.message ?? '', new RegExp(`samples ${poisoned}$`));
  await runOn('stop');
});

for (const policy of ['skip', 'rewind'] as const) {
  test(`a bad sample, policy ${policy}: it is named, the run ends, twice in the same weights`, async () => {
    const ends: string[] = [];
    for (const run of [`${policy}-1`, `${policy}-2`]) {
      (await runTiny(dir, run, { onNumerics: policy, logEvery: 1 }))[Symbol.dispose]();
      ends.push(weightsOf(run));
      const events = await readEvents(join(dir, run));
      const skips = events.filter(({ type }) => type === 'skip');
      assert.deepEqual(
        skips.map(({ message }) => message),
        [`${poisoned}: loss not finite`],
      );
      const back = events.filter(({ message }) => /went back to the weights/.test(message ?? ''));
      assert.equal(back.length, policy === 'rewind' ? 1 : 0);
      const rows = await readMetrics(join(dir, run));
      assert.equal(rows.at(-1)?.['data/num_skipped'], 1);
      assert.ok(rows.every((row) => Number.isFinite(row['train/loss'])));
      assert.ok(!rows.some(({ step }) => step === skips[0]?.step));
    }
    assert.equal(ends[0], ends[1]);
    assert.notEqual(ends[0], expected);
  });
}

const mount = join(tmpdir(), `faults-disk-${process.pid}`);
fs.mkdirSync(mount);
const isMounted =
  spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=40m', 'tmpfs', mount]).status === 0;
after(() => {
  if (isMounted) execFileSync('umount', [mount]);
  fs.rmdirSync(mount);
});

test('a disk that fills up during a checkpoint: the older ones stay, the run goes on later', {
  skip: isMounted ? false : 'needs the right to mount a small disk',
}, async () => {
  poison = '';
  fs.mkdirSync(join(dir, 'full'));
  fs.symlinkSync(mount, join(dir, 'full/checkpoints'));
  const bytes = fs
    .readdirSync(join(dir, 'whole', LAST))
    .map((name) => fs.statSync(join(dir, 'whole', LAST, name)).size)
    .reduce((a, b) => a + b, 0);
  execFileSync('mount', ['-o', `remount,size=${Math.ceil((2.6 * bytes) / 1024)}k`, mount]);
  await assert.rejects(runTiny(dir, 'full', { keepLast: 9 }), isError('disk', /no space left/));
  const left = fs.readdirSync(mount);
  assert.ok(left.length > 0 && left.every((name) => /^step-\d+$/.test(name)), left.join());
  execFileSync('mount', ['-o', 'remount,size=40m', mount]);
  await runOn('full');
});

test('a data worker that dies: the run fails or mends itself, and ends the same', async () => {
  const spawned: threads.Worker[] = [];
  const { Worker } = threads;
  threads.Worker = class extends Worker {
    constructor(...args: ConstructorParameters<typeof Worker>) {
      super(...args);
      spawned.push(this);
    }
  };
  syncBuiltinESMExports();
  const kill = (step: number): void => {
    if (step === 7) void spawned.at(-1)?.terminate();
  };
  const changes = { workers: 1, prefetch: 1 };
  const came = await runTiny(dir, 'worker', changes, { onStep: kill }).catch((error) => error);
  threads.Worker = Worker;
  syncBuiltinESMExports();
  if (came instanceof Error) {
    assert.match(came.message, /worker/);
    await runOn('worker');
  } else {
    came[Symbol.dispose]();
    assert.equal(weightsOf('worker'), expected);
  }
});

test('a damaged pack is named with its file; with the file mended the run goes on', async () => {
  const [file] = readManifest(join(dir, 'packs')).files.filter(({ name }) => name.endsWith('.tar'));
  const path = join(dir, 'packs', file?.name ?? '');
  const right = fs.readFileSync(path);
  const wrong = Buffer.from(right);
  wrong.fill('X', Math.floor(0.3 * wrong.length), Math.floor(0.7 * wrong.length));
  fs.writeFileSync(path, wrong);
  await assert.rejects(runTiny(dir, 'damaged'), isError('data', new RegExp(file?.name ?? '?')));
  fs.writeFileSync(path, right);
  await runOn('damaged');
});
