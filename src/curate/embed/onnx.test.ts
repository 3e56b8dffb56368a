// The ONNX embedder on a real session: a tiny CLIP (test/fixtures/embed/make-tiny-clip.py) against the
// vectors that numpy gives; and what is said when the runtime or a file is missing.
import assert from 'node:assert/strict';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import sharp from 'sharp';
import * as z from 'zod';
import { onnxRuntime } from '../../../test/support/onnxruntime.ts';
import { OneVisionError } from '../../core/errors.ts';
import { openOnnxEmbedder } from './onnx.ts';

const model = fileURLToPath(new URL('../../../test/fixtures/embed/tiny-clip', import.meta.url));
const vector = z.array(z.number());
const expected = z
  .object({
    pictures: z.array(z.object({ colour: z.array(z.number()), vector })),
    texts: z.array(z.object({ text: z.string(), vector })),
  })
  .parse(JSON.parse(readFileSync(join(model, 'expected.json'), 'utf8')));
const runtime = await onnxRuntime();
const skip = 'reason' in runtime ? runtime.reason : false;
const dir = mkdtempSync(join(tmpdir(), 'onevision-onnx-test-'));
after(() => {
  rmSync(dir, { recursive: true, force: true });
  if ('folder' in runtime) rmSync(runtime.folder, { recursive: true, force: true });
});

function assertNear(found: Float32Array, wanted: readonly (readonly number[])[]): void {
  assert.equal(found.length, wanted.flat().length);
  for (const [i, value] of wanted.flat().entries()) {
    assert.ok(Math.abs((found[i] ?? 0) - value) < 1e-5, `${i}: ${found[i]}, ${value}`);
  }
}

test('both towers of an exported model give the vectors of numpy', { skip }, async () => {
  if ('reason' in runtime) return;
  const options = { runtime: runtime.main, threads: 1, batchSize: 2 };
  const embedder = await openOnnxEmbedder(model, options);
  const pictures = await Promise.all(
    expected.pictures.map(({ colour: [r = 0, g = 0, b = 0] }) =>
      sharp({ create: { width: 20, height: 11, channels: 3, background: { r, g, b } } })
        .png()
        .toBuffer(),
    ),
  );
  assert.equal(embedder.dim, 4);
  const images = await embedder.embedImages(pictures);
  assertNear(
    images,
    expected.pictures.map((picture) => picture.vector),
  );
  const texts = await embedder.embedTexts(expected.texts.map(({ text }) => text));
  assertNear(
    texts,
    expected.texts.map((text) => text.vector),
  );
  await embedder.close();
});

test('a missing tower, a damaged tower and a missing runtime are named', { skip }, async () => {
  if ('reason' in runtime) return;
  const damaged = join(dir, 'damaged');
  cpSync(model, damaged, { recursive: true });
  writeFileSync(join(damaged, 'text_model.onnx'), 'not a model');
  const code = (name: string, message: RegExp) => (error: unknown) =>
    error instanceof OneVisionError && error.code === name && message.test(error.message);
  const options = { runtime: runtime.main };
  await assert.rejects(openOnnxEmbedder(damaged, options), code('data', /text_model\.onnx/));
  rmSync(join(damaged, 'vision_model.onnx'));
  await assert.rejects(openOnnxEmbedder(damaged, options), code('data', /vision_model\.onnx/));
  const none = { runtime: join(dir, 'none.js') };
  await assert.rejects(openOnnxEmbedder(model, none), code('usage', /needs the package/));
});
