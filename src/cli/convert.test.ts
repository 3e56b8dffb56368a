// `onevision convert`: a folder through Megatron and back, an adapter, figures, refusals.
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { smallModel } from '../../test/support/model.ts';
import { runCommand } from '../../test/support/run-command.ts';
import { smallTokenizer, writeSources } from '../../test/support/sources.ts';
import { QWEN_PROCESSOR } from '../image/config.ts';
import { loadCheckpoint, saveCheckpoint } from '../model/checkpoint.ts';
import { convertMerge } from './convert-model.ts';

const root = mkdtempSync(join(tmpdir(), 'onevision-convert-'));
after(() => rmSync(root, { recursive: true, force: true }));

const convert = (...args: string[]): ReturnType<typeof runCommand> =>
  runCommand(['convert', ...args]);

test('model → Megatron → model is the same folder; info counts it; mistakes are help', async () => {
  const [folder, megatron, back] = ['model', 'megatron', 'back'].map((name) =>
    join(root, name),
  ) as [string, string, string];
  const tokenizer = smallTokenizer();
  using model = smallModel({ dtype: 'bfloat16' });
  await saveCheckpoint(folder, model, { tokenizer, image: { ...QWEN_PROCESSOR, patchSize: 2 } });
  const there = await convert('megatron', folder, '--output', megatron);
  assert.equal(there.status, 0, there.output);
  const again = await convert('megatron', megatron, '--like', folder, '--output', back);
  assert.equal(again.status, 0, again.output);
  for (const name of [
    'model.safetensors',
    'config.json',
    'tokenizer.json',
    'chat_template.jinja',
  ]) {
    assert.deepEqual(readFileSync(join(back, name)), readFileSync(join(folder, name)), name);
  }
  const info = await convert('info', back, '--json');
  assert.equal(JSON.parse(info.output).total.numParameters, model.numParameters);
  const blind = await convert('megatron', megatron, '--output', back);
  assert.equal(blind.status, 2);
  assert.match(blind.output, /--like(.|\n)*hint: /);
  const foreign = await convert('lora', folder, '--base', folder, '--output', join(root, 'x'));
  assert.equal(foreign.status, 4);
  assert.match(foreign.output, /adapter_config\.json/);
});

test('merge writes a folder that opens, with the processor of the original', async () => {
  const sources = await writeSources(root, 'merge');
  const out = join(root, 'stage-0');
  await convertMerge({ ...sources, output: out, seed: 1 });
  const { model, processor } = loadCheckpoint(out);
  assert.equal(model.config.imageTokenId, processor.tokenizer.ids.imagePad);
  assert.equal(processor.image.maxPixels, 1600 * 1600);
  // A processor of its own: its other settings stay, one frame and the largest picture do not.
  const settings = { patch_size: 14, merge_size: 2, temporal_patch_size: 2, max_pixels: 9, x: 1 };
  const other = join(root, 'processor');
  await smallTokenizer().save(other);
  writeFileSync(join(other, 'preprocessor_config.json'), JSON.stringify(settings));
  await convertMerge({ ...sources, processor: other, output: out, seed: 1 });
  const json = JSON.parse(readFileSync(join(out, 'preprocessor_config.json'), 'utf8'));
  assert.deepEqual(json, { ...settings, temporal_patch_size: 1, max_pixels: 1600 * 1600 });
  await assert.rejects(convertMerge({ ...sources, output: sources.decoder, seed: 1 }), {
    code: 'usage',
  });
  model[Symbol.dispose]();
});

test('help of each part fits one screen', async () => {
  const { status, output } = await convert('--help');
  assert.equal(status, 0);
  for (const name of ['merge', 'megatron', 'lora', 'info']) {
    assert.match(output, new RegExp(`\\n  ${name} `));
  }
});
