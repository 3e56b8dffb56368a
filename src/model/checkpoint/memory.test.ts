// How much memory loading takes, measured by the kernel in a process of its own.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import * as path from 'node:path';
import { test } from 'node:test';
import { SMALL } from '../../../test/support/model.ts';
import * as ops from '../../tensor/ops.ts';
import { saveSafetensors } from '../../tensor/safetensors.ts';
import { shapesOf } from '../checkpoint.ts';
import { configToHuggingFace } from './write-config.ts';

/**
 * Loads argv[1], a small model, so that all code is in memory; then argv[2], touching every page.
 * Prints the growth of the peak over the bytes of the weights.
 */
const SCRIPT = `
  import { readFileSync } from 'node:fs';
  import { loadModel } from './src/model/checkpoint.ts';
  import { noGrad } from './src/tensor/index.ts';
  import * as ops from './src/tensor/ops.ts';
  const status = () => readFileSync('/proc/self/status', 'utf8');
  const kib = (key) => Number(status().split(key + ':')[1].trim().split(' ')[0]);
  const options = JSON.parse(process.argv[3]);
  const load = (folder) => {
    const model = loadModel(folder, options);
    let bytes = 0;
    for (const parameter of model.namedParameters().values()) {
      bytes += parameter.numel * (parameter.dtype === 'bfloat16' ? 2 : 4);
      noGrad(() => ops.sum(parameter).dispose());
    }
    return bytes;
  };
  load(process.argv[1]);
  const before = kib('VmRSS');
  const bytes = load(process.argv[2]);
  console.log(((kib('VmHWM') - before) * 1024) / bytes);`;

async function writeZeros(folder: string, vocabSize: number): Promise<string> {
  mkdirSync(folder);
  const config = { ...SMALL, text: { ...SMALL.text, vocabSize } };
  const zeros = [...shapesOf(config)].map(([name, shape]) => {
    return [name, ops.zeros(shape, { dtype: 'bfloat16' })] as const;
  });
  await saveSafetensors(path.join(folder, 'model.safetensors'), Object.fromEntries(zeros));
  const json = JSON.stringify(configToHuggingFace(config, 'bfloat16'));
  writeFileSync(path.join(folder, 'config.json'), json);
  return folder;
}

const skip = existsSync('/proc/self/status') ? false : 'needs /proc';

test('peak memory of loading: at most 1.15 times the weights', { skip }, async () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'onevision-memory-'));
  try {
    const small = await writeZeros(path.join(folder, 'small'), 300_000);
    const large = await writeZeros(path.join(folder, 'large'), 3_000_000);
    for (const options of [{}, { dtype: 'float32' }]) {
      const flags = ['--disable-warning=ExperimentalWarning', '--input-type=module-typescript'];
      const args = [...flags, '-e', SCRIPT, '--', small, large, JSON.stringify(options)];
      const run = spawnSync(process.execPath, args, { encoding: 'utf8' });
      assert.equal(run.status, 0, run.stderr);
      const ratio = Number(run.stdout);
      assert.ok(ratio > 0.5 && ratio < 1.15, `${JSON.stringify(options)}: ${ratio}`);
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
});
