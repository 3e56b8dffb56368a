// `onevision convert` as a process: a folder through Megatron and back, an adapter, figures, refusals.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { smallModel } from '../../test/support/model.ts';
import { QWEN_PROCESSOR } from '../image/config.ts';
import { saveCheckpoint } from '../model/checkpoint.ts';
import { createTokenizer } from '../text/tokenizer.ts';
import { trainTokenizer } from '../text/train-bpe.ts';

const root = mkdtempSync(join(tmpdir(), 'onevision-convert-'));
after(() => rmSync(root, { recursive: true, force: true }));

function convert(...args: string[]): { status: number | null; output: string } {
  const command = ['--disable-warning=ExperimentalWarning', 'src/cli/main.ts', 'convert', ...args];
  const { status, stdout, stderr } = spawnSync(process.execPath, command, { encoding: 'utf8' });
  return { status, output: stdout + stderr };
}

test('model → Megatron → model is the same folder; info counts it; mistakes are help', async () => {
  const [folder, megatron, back] = ['model', 'megatron', 'back'].map((name) =>
    join(root, name),
  ) as [string, string, string];
  const tokenizer = createTokenizer(trainTokenizer(['a red apple'], 270));
  using model = smallModel({ dtype: 'bfloat16' });
  await saveCheckpoint(folder, model, { tokenizer, image: { ...QWEN_PROCESSOR, patchSize: 2 } });
  const there = convert('megatron', folder, '--out', megatron);
  assert.equal(there.status, 0, there.output);
  const again = convert('megatron', megatron, '--like', folder, '--out', back);
  assert.equal(again.status, 0, again.output);
  for (const name of [
    'model.safetensors',
    'config.json',
    'tokenizer.json',
    'chat_template.jinja',
  ]) {
    assert.deepEqual(readFileSync(join(back, name)), readFileSync(join(folder, name)), name);
  }
  const info = convert('info', back, '--json');
  assert.equal(JSON.parse(info.output).total.numParameters, model.numParameters);
  const blind = convert('megatron', megatron, '--out', back);
  assert.equal(blind.status, 2);
  assert.match(blind.output, /--like(.|\n)*hint: /);
  const foreign = convert('lora', folder, '--base', folder, '--out', join(root, 'x'));
  assert.equal(foreign.status, 4);
  assert.match(foreign.output, /adapter_config\.json/);
});

test('help of each part fits one screen', () => {
  const { status, output } = convert('--help');
  assert.equal(status, 0);
  for (const name of ['merge', 'megatron', 'lora', 'info']) {
    assert.match(output, new RegExp(`\\n  ${name} `));
  }
});
