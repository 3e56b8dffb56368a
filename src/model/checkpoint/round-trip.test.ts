// A synthetic folder of the released naming: opened and saved again without a bit changed, in one
// file and in several, with everything beside the weights; and folders that are refused.
import assert from 'node:assert/strict';
import {
  cpSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import * as path from 'node:path';
import { after, before, test } from 'node:test';
import { randomSegment, SMALL, smallModel } from '../../../test/support/model.ts';
import { smallTokenizer } from '../../../test/support/sources.ts';
import { OneVisionError } from '../../core/errors.ts';
import { createRandom } from '../../core/hash.ts';
import { QWEN_PROCESSOR } from '../../image/config.ts';
import { fromArray, noGrad, type Tensor, tidy } from '../../tensor/index.ts';
import * as ops from '../../tensor/ops.ts';
import { openSafetensors, saveSafetensors } from '../../tensor/safetensors.ts';
import { makeBatch } from '../batch.ts';
import { loadModel, saveCheckpoint, shapesOf } from '../checkpoint.ts';
import type { OneVisionConfig } from '../config.ts';
import type { OneVision } from '../onevision.ts';
import { openWeights } from './weights.ts';
import { configToHuggingFace } from './write-config.ts';

const root = mkdtempSync(path.join(tmpdir(), 'onevision-round-'));
after(() => rmSync(root, { recursive: true, force: true }));
const WEIGHTS = 'model.safetensors';
const EXPERTS: OneVisionConfig = {
  ...SMALL,
  text: {
    ...SMALL.text,
    experts: {
      numExperts: 3,
      numActive: 2,
      intermediateSize: 16,
      normTopkProb: true,
      auxLossCoef: 0.001,
      denseLayers: [0],
    },
  },
};
/** Files as others write them: their spelling is theirs. */
const BESIDE: Readonly<Record<string, string>> = {
  'tokenizer.json': '{"a":  1}\n\n',
  'tokenizer_config.json': '{\n\t"b": 2 }',
  'vocab.json': '{"é":0}',
  'merges.txt': '#version: 0.2\nĠ t\n',
  'preprocessor_config.json': '{"max_pixels": 2560000}',
  'chat_template.json': '{"chat_template": "{{ x }}"}',
  'generation_config.json': '{ "temperature":0.000001 }',
  'special_tokens_map.json': '{}',
  'modeling_llavaonevision1_5.py': 'x = 1\r\n',
};

/** Random bits in bfloat16, not a number included, under the names that a config asks for. */
async function synthetic(name: string, config: OneVisionConfig): Promise<string> {
  const folder = mkdtempSync(path.join(root, name));
  const random = createRandom('bits', name);
  const tensors: Record<string, Tensor> = {};
  for (const [key, shape] of shapesOf(config)) {
    const numel = shape.reduce((a, b) => a * b, 1);
    const bits = Int16Array.from({ length: numel }, () => random.int(65536) - 32768);
    tensors[key] = ops.viewDtype(fromArray(bits, shape), 'bfloat16');
  }
  await saveSafetensors(path.join(folder, WEIGHTS), tensors, { format: 'pt' });
  const json = {
    ...configToHuggingFace(config, 'bfloat16'),
    vocab_size: 152064,
    auto_map: { AutoModel: 'modeling_llavaonevision1_5.M' },
    transformers_version: '4.53.0',
  };
  writeFileSync(path.join(folder, 'config.json'), JSON.stringify(json, null, 4));
  for (const [file, text] of Object.entries(BESIDE)) writeFileSync(path.join(folder, file), text);
  return folder;
}

function tensorBytes(folder: string): Map<string, Buffer> {
  using weights = openWeights(folder);
  const bits = (tensor: Tensor): Buffer =>
    Buffer.from(ops.viewDtype(tensor, 'int16').toArray().buffer);
  return new Map(
    [...weights.tensors].map(([key, lazy]) => [key, bits(lazy.read())] as const).sort(),
  );
}

for (const [kind, config] of [
  ['dense', SMALL],
  ['experts', EXPERTS],
] as const) {
  test(`${kind}: load and save change no bit of any tensor, in one file and in several`, async () => {
    const folder = await synthetic(kind, config);
    const original = tensorBytes(folder);
    const [one, several, again] = ['one', 'several', 'again'].map((name) =>
      path.join(root, `${kind}-${name}`),
    ) as [string, string, string];
    {
      using model = loadModel(folder);
      await saveCheckpoint(one, model, { from: folder });
      await saveCheckpoint(several, model, { from: folder }, { maxShardBytes: 9000 });
    }
    assert.deepEqual(
      readFileSync(path.join(one, WEIGHTS)),
      readFileSync(path.join(folder, WEIGHTS)),
    );
    assert.deepEqual(readdirSync(one).sort(), readdirSync(folder).sort());
    for (const file of ['config.json', ...Object.keys(BESIDE)]) {
      assert.deepEqual(readFileSync(path.join(one, file)), readFileSync(path.join(folder, file)));
    }
    const shards = readdirSync(several).filter((name) => name.endsWith('.safetensors'));
    assert.ok(shards.length > 2 && !shards.includes(WEIGHTS));
    assert.match(shards[0] ?? '', /^model-00001-of-0000\d\.safetensors$/);
    assert.deepEqual(tensorBytes(several), original);
    const index = JSON.parse(readFileSync(path.join(several, `${WEIGHTS}.index.json`), 'utf8'));
    const total = [...original.values()].reduce((sum, bytes) => sum + bytes.byteLength, 0);
    assert.deepEqual(index.metadata, { total_size: total });
    assert.deepEqual(Object.keys(index.weight_map), [...original.keys()]);
    {
      using model = loadModel(several);
      await saveCheckpoint(again, model, { from: several });
      // Into a folder that holds shards: they and their index give way.
      await saveCheckpoint(several, model, { from: several });
    }
    for (const saved of [again, several]) {
      assert.deepEqual(
        readFileSync(path.join(saved, WEIGHTS)),
        readFileSync(path.join(folder, WEIGHTS)),
      );
      assert.deepEqual(readdirSync(saved).sort(), readdirSync(folder).sort());
    }
  });
}

test('stacked experts, as transformers 5 has them in memory, load too', async () => {
  const folder = await synthetic('stacked', EXPERTS);
  const expected = tensorBytes(folder);
  {
    using model = loadModel(folder);
    const tensors = Object.fromEntries(
      [...model.namedParameters()].map(([name, tensor]) => [
        name.replace(/^model\./, 'model.language_model.'),
        ops.clone(tensor),
      ]),
    );
    assert.ok('model.language_model.layers.1.mlp.experts.gate_up_proj' in tensors);
    await saveSafetensors(path.join(folder, WEIGHTS), tensors);
  }
  assert.deepEqual(tensorBytes(folder), expected);
  using model = loadModel(folder, { mapped: false });
  assert.equal(model.dtype, 'bfloat16');
});

test('a changed model keeps the keys of the old config.json that it does not own', async () => {
  const folder = await synthetic('keys', SMALL);
  using half = loadModel(folder);
  using full = loadModel(folder, { dtype: 'float32' });
  const json = async (model: typeof half): Promise<Record<string, unknown>> => {
    const out = mkdtempSync(path.join(root, 'keys-out-'));
    await saveCheckpoint(out, model, { from: folder });
    return JSON.parse(readFileSync(path.join(out, 'config.json'), 'utf8'));
  };
  assert.equal((await json(half))['torch_dtype'], 'bfloat16');
  const widened = await json(full);
  assert.equal(widened['torch_dtype'], 'float32');
  assert.equal((widened['text_config'] as { torch_dtype: string }).torch_dtype, 'float32');
  assert.equal(widened['vocab_size'], 152064);
  assert.equal(widened['transformers_version'], '4.53.0');
  const old = { ...configToHuggingFace(SMALL, 'float32'), auto_map: 1 };
  const theta = { ...SMALL, text: { ...SMALL.text, ropeTheta: 8e6 } };
  const changed = configToHuggingFace(theta, 'float32', old);
  assert.deepEqual(changed, { ...configToHuggingFace(theta, 'float32'), auto_map: 1 });
});

let sound = '';
before(async () => {
  sound = await synthetic('sound', SMALL);
});

/** A copy of the sound folder, spoilt, must be refused with a hint. */
function refused(spoil: (folder: string) => void, message: RegExp, options = {}): void {
  const folder = mkdtempSync(path.join(root, 'bad-'));
  cpSync(sound, folder, { recursive: true });
  spoil(folder);
  assert.throws(
    () => loadModel(folder, options)[Symbol.dispose](),
    (error) => {
      assert.ok(error instanceof OneVisionError, String(error));
      assert.equal(error.code, 'checkpoint');
      assert.match(error.message, message);
      assert.ok(error.hint !== undefined);
      return true;
    },
  );
}

async function retype(name: string, to: (tensor: Tensor) => Tensor): Promise<Buffer> {
  using file = openSafetensors(path.join(sound, WEIGHTS));
  const tensors = file.names.map((key) => [
    key,
    key === name ? to(file.tensor(key)) : file.tensor(key),
  ]);
  const target = path.join(root, 'retyped.safetensors');
  await saveSafetensors(target, Object.fromEntries(tensors));
  return readFileSync(target);
}

function editConfig(edit: (json: Record<string, Record<string, unknown>>) => void) {
  return (folder: string): void => {
    const file = path.join(folder, 'config.json');
    const json = JSON.parse(readFileSync(file, 'utf8'));
    edit(json);
    writeFileSync(file, JSON.stringify(json));
  };
}

test('files cut short, absent, named outside, or holding a tensor twice', async () => {
  const weights = (folder: string): string => path.join(folder, WEIGHTS);
  const index = (folder: string, map: object): void =>
    writeFileSync(`${weights(folder)}.index.json`, JSON.stringify({ weight_map: map }));
  const size = readFileSync(weights(sound)).byteLength;
  refused((folder) => truncateSync(weights(folder), size - 10), /bytes of data; the file has/);
  refused((folder) => truncateSync(weights(folder), 5), /Expected a safetensors file/);
  refused((folder) => rmSync(weights(folder)), /ENOENT/);
  refused((folder) => index(folder, { a: 'model-00001-of-00002.safetensors' }), /00001-of-00002/);
  refused((folder) => index(folder, { a: '../secret.safetensors' }), /beside the index/);
  const twice = await retype('', (tensor) => tensor);
  refused((folder) => {
    writeFileSync(path.join(folder, 'other.safetensors'), twice);
    index(folder, { a: 'other.safetensors', b: WEIGHTS });
  }, /once in .*, came it twice/);
});

test('types that cannot be weights, or that differ from the others', async () => {
  const name = 'model.norm.weight';
  const integers = await retype(name, (tensor) => ops.toCopy(tensor, { dtype: 'int64' }));
  const put = (bytes: Buffer) => (folder: string) =>
    writeFileSync(path.join(folder, WEIGHTS), bytes);
  refused(put(integers), /mistyped: model\.norm\.weight is int64, expected one of bfloat16/);
  refused(put(integers), /mistyped/, { dtype: 'float32' });
  const mixed = await retype(name, (tensor) => ops.toCopy(tensor, { dtype: 'float32' }));
  refused(put(mixed), /mistyped: model\.norm\.weight is float32, expected bfloat16/);
  const folder = mkdtempSync(path.join(root, 'mixed-'));
  cpSync(sound, folder, { recursive: true });
  put(mixed)(folder);
  using model = loadModel(folder, { dtype: 'bfloat16' });
  assert.equal(model.dtype, 'bfloat16');
});

test('a config that disagrees with the weights, or is of another architecture', () => {
  const text = (change: object) =>
    editConfig((json) => Object.assign(json['text_config'] ?? {}, change));
  refused(
    text({ hidden_size: 48 }),
    /came \d+ differences:\n {2}misshapen: .*\n(.*\n)+ {2}… and \d+ more/,
  );
  refused(text({ num_hidden_layers: 3 }), /came 11 differences:\n {2}missing: model\.layers\.2\./);
  refused(text({ num_hidden_layers: 1 }), /unexpected: model\.layers\.1\./);
  refused(text({ attention_bias: true }), /attention_bias/);
  refused(text({ rope_scaling: { type: 'yarn' } }), /rope_scaling/);
  refused(text({ use_sliding_window: true }), /use_sliding_window/);
  refused(text({ rope_theta: undefined }), /rope_theta/);
  refused(text({ num_experts: 4 }), /moe_intermediate_size/);
  refused(text({ num_experts: 4, moe_intermediate_size: 8 }), /at most 4 active experts, came 8/);
  refused(
    editConfig((json) => Object.assign(json, { model_type: 'llava_next' })),
    /model_type/,
  );
  refused(
    editConfig((json) => Object.assign(json['vision_config'] ?? {}, { depth: -1 })),
    /depth/,
  );
  refused((folder) => writeFileSync(path.join(folder, 'config.json'), '{"a":'), /JSON/);
  refused((folder) => rmSync(path.join(folder, 'config.json')), /config\.json/);
});

test('the angle base where transformers 5 keeps it', () => {
  const folder = mkdtempSync(path.join(root, 'theta-'));
  cpSync(sound, folder, { recursive: true });
  editConfig((json) => {
    const text = json['text_config'] ?? {};
    delete text['rope_theta'];
    text['rope_parameters'] = { rope_theta: 8e6, rope_type: 'default' };
  })(folder);
  using model = loadModel(folder);
  assert.equal(model.config.text.ropeTheta, 8e6);
});

test('the class-token fault on demand: one image the same, two not, and never saved', async () => {
  const tokenizer = smallTokenizer();
  const folder = path.join(root, 'fault');
  using plain = smallModel();
  await saveCheckpoint(folder, plain, { tokenizer, image: QWEN_PROCESSOR });
  using faulty = loadModel(folder, { hfCompatMultiImage: true });
  const features = (model: OneVision, grids: readonly (readonly [number, number])[]): number[] =>
    tidy(() => noGrad(() => model.features(makeBatch([randomSegment('x', 5, grids)])).toNumbers()));
  assert.deepEqual(features(faulty, [[2, 4]]), features(plain, [[2, 4]]));
  const two = [
    [2, 4],
    [4, 4],
  ] as const;
  assert.notDeepEqual(features(faulty, two), features(plain, two));
  const again = path.join(root, 'fault-again');
  await saveCheckpoint(again, faulty, { from: folder });
  using sound = loadModel(again);
  assert.deepEqual(features(sound, two), features(plain, two));
});
