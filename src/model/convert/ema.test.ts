// A checkpoint's moving average as a model folder: trained weights are the averages, rounded to the
// type of the model; frozen ones stay.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { prepareTinyRun, runTiny } from '../../../test/support/tiny-run.ts';
import { convertEma } from '../../cli/convert-model.ts';
import { setNumThreads, tidy } from '../../tensor/index.ts';
import { openSafetensors } from '../../tensor/safetensors.ts';
import { loadModel } from '../checkpoint.ts';

let dir = '';
before(async () => {
  setNumThreads(1);
  dir = mkdtempSync(join(tmpdir(), 'ema-'));
  await prepareTinyRun(dir);
  const settings = { emaDecay: 0.5, trainable: ['merger', 'language'], steps: 4 } as const;
  (await runTiny(dir, 'run', { ...settings, precision: 'bfloat16' }))[Symbol.dispose]();
});
after(() => rmSync(dir, { recursive: true }));

test('trained weights are the averages, frozen ones are as they were', async () => {
  const checkpoint = join(dir, 'run/checkpoints/step-000008');
  const out = join(dir, 'averaged');
  await convertEma(checkpoint, out);
  using averaged = loadModel(out);
  using last = loadModel(checkpoint);
  const file = openSafetensors(join(checkpoint, 'ema.safetensors'));
  const before = last.namedParameters();
  assert.equal(averaged.dtype, 'bfloat16');
  let numChanged = 0;
  for (const [name, weight] of averaged.namedParameters()) {
    tidy(() => {
      const isTrained = file.names.includes(name);
      const expected = isTrained ? file.lazy(name).read({ dtype: 'bfloat16' }) : before.get(name);
      assert.deepEqual(weight.toNumbers(), expected?.toNumbers(), name);
      const old = before.get(name)?.toNumbers();
      if (JSON.stringify(old) !== JSON.stringify(weight.toNumbers())) numChanged += 1;
    });
  }
  file.close();
  assert.ok(numChanged > 0);
});

test('a checkpoint without averages is named', async () => {
  await assert.rejects(convertEma(join(dir, 'averaged'), join(dir, 'none')), {
    code: 'checkpoint',
    message: /ema\.safetensors/,
  });
});
