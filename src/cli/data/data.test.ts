// `onevision data` on folders with something wrong in them, as a process and as functions.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { drawPng, drawSvg } from '../../../test/support/raw-samples.ts';
import { runLocally } from '../../cluster/local.ts';
import { silentLog as log } from '../../core/log.ts';
import { readLedger, writeLedger } from '../../sample/ledger.ts';
import { exportData } from './export.ts';
import { dataInfo } from './info.ts';
import { lint } from './lint.ts';
import { previewSamples } from './preview.ts';
import { findVerdicts } from './why.ts';

const root = mkdtempSync(join(tmpdir(), 'data-'));
const folder = join(root, 'things');
after(() => rmSync(root, { recursive: true }));
before(async () => {
  mkdirSync(join(folder, 'img'), { recursive: true });
  const png = await drawPng(drawSvg(3));
  writeFileSync(join(folder, 'img', 'a.png'), png);
  writeFileSync(join(folder, 'img', 'torn.png'), png.subarray(0, 90));
  const lines = (names: readonly string[]): string =>
    names
      .map((name, i) =>
        JSON.stringify({ uid: `u${i}`, image: `img/${name}.png`, caption: `it \u001b[31m${name}` }),
      )
      .join('\n');
  writeFileSync(join(folder, '1.jsonl'), lines(['a', 'torn', 'none']));
  writeFileSync(join(folder, '2.jsonl'), lines(['a', 'a', 'a', 'a']));
});

test('lint counts faults by reason, in one process or two, and keeps every row', async () => {
  const ledger = join(root, 'lint', 'ledger.jsonl');
  mkdirSync(join(root, 'lint'));
  const one = await lint({ path: folder }, { workers: 1, ledger, log });
  const two = await lint({ path: folder }, { workers: 2, log });
  assert.deepEqual(two, one);
  assert.equal(one.records, 7);
  assert.equal(one.sound, 3);
  const rows = await Array.fromAsync(readLedger(ledger));
  assert.deepEqual(
    rows.map(({ uid, verdict }) => [uid, verdict]),
    [
      ['things:u0', 'keep'],
      ['things:u1', 'error'],
      ['things:1.jsonl:3', 'error'],
      ['things:u0', 'error'],
      ['things:u1', 'keep'],
      ['things:u2', 'keep'],
      ['things:u3', 'keep'],
    ].map(([uid, verdict]) =>
      uid === 'things:u1' && verdict === 'keep' ? [uid, 'error'] : [uid, verdict],
    ),
  );
  assert.equal(one.faults['the uid was there before'], 2);
  assert.equal(one.faults['an image file is missing'], 1);
});

test('info and preview tell what is there; control characters do not reach the terminal', async () => {
  const info = await dataInfo({ path: folder }, Number.POSITIVE_INFINITY);
  assert.equal(info.format, 'jsonl');
  assert.equal(info.samples, 6);
  assert.deepEqual(info.lost, { 'an image file is missing': 1 });
  assert.deepEqual(info.width.slice(0, 2), [32, 32]);
  const [sample] = await previewSamples({ path: folder }, 1, 'things:u3');
  assert.match(
    sample?.text ?? '',
    /things:u3 .*\n {2}img0\.png: 32 × 32.*\n {2}user: <image>\n {2}assistant: it �\[31ma/,
  );
});

test('export: one process or two, the same bytes; what is lost is in the ledger; and back', async () => {
  const dirs = ['one', 'two'].map((name) => join(root, 'export', name));
  for (const [i, output] of dirs.entries()) {
    const settings = { to: 'jsonl', output, workers: i + 1, samplesPerShard: 2, log } as const;
    const { counts } = await exportData({ path: folder }, settings);
    assert.deepEqual(counts, { samples: 6, input: 7, lost: 1 });
  }
  const [one = '', two = ''] = dirs;
  assert.deepEqual(readdirSync(one), readdirSync(two));
  for (const name of readdirSync(one)) {
    assert.deepEqual(readFileSync(join(one, name)), readFileSync(join(two, name)), name);
  }
  const info = await dataInfo({ path: one }, 100);
  assert.deepEqual([info.format, info.samples, info.lost], ['jsonl', 6, {}]);
});

test('why finds the verdicts of all stages', async () => {
  const rows = [
    { uid: 'x', stage: 'curate', verdict: 'keep', reason: 'drawn', configHash: 'h' },
    {
      uid: 'y',
      stage: 'curate',
      verdict: 'drop',
      reason: 'near-duplicate',
      parent: 'x',
      configHash: 'h',
    },
    { uid: 'xy', stage: 'curate', verdict: 'drop', reason: 'blank', configHash: 'h' },
  ] as const;
  mkdirSync(join(root, 'run', 'b'), { recursive: true });
  await writeLedger(join(root, 'run', 'ledger.jsonl'), rows);
  await writeLedger(join(root, 'run', 'b', 'ledger.jsonl'), [{ ...rows[0], stage: 'caption' }]);
  const found = await findVerdicts('x', [join(root, 'run')]);
  assert.deepEqual(
    found.map(({ stage, uid }) => [stage, uid]),
    [
      ['caption', 'x'],
      ['curate', 'x'],
      ['curate', 'y'],
    ],
  );
});

test('lint on a cluster works beside the ledger and leaves only that', async () => {
  const beside = join(root, 'on-cluster');
  mkdirSync(beside);
  const ledger = join(beside, 'ledger.jsonl');
  const folders: string[] = [];
  const cluster = {
    run: async ({ dir }: { readonly dir: string }): Promise<void> => {
      folders.push(dir);
      await runLocally(dir, 1, log);
    },
  };
  const sent = await lint({ path: folder }, { workers: 1, ledger, cluster, log });
  assert.deepEqual(sent, await lint({ path: folder }, { workers: 1, log }));
  assert.ok(folders[0]?.startsWith(`${ledger}.work-`));
  assert.deepEqual(readdirSync(beside), ['ledger.jsonl']);
  const blind = lint({ path: folder }, { workers: 1, cluster, log });
  await assert.rejects(blind, { code: 'usage', message: /expected --ledger FILE/ });
});

test('the command: JSON, exit code 4 for faults, help for what is wrong', () => {
  const onevision = (
    ...args: string[]
  ): { status: number | null; stdout: string; stderr: string } =>
    spawnSync(process.execPath, ['src/cli/main.ts', 'data', ...args], { encoding: 'utf8' });
  const linted = onevision('lint', folder, '--json');
  assert.equal(linted.status, 4);
  assert.equal(JSON.parse(linted.stdout).records, 7);
  const none = onevision('info', join(root, 'absent'));
  assert.equal(none.status, 4);
  assert.match(none.stderr, /there is nothing/);
  assert.equal(onevision('info', folder, '--format', 'tsv').status, 2);
  assert.match(onevision('why', 'nobody', '--in', root).stderr, /Expected verdicts on nobody/);
});
