// Training from packs: what is read back from the packed shards gives the loss of its samples alone,
// predicts nothing across a border, and lets no segment see another, to the bit.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { prepareTinyRun, TINY_SPEC, tinyModel } from '../../../test/support/tiny-run.ts';
import { createRandom } from '../../core/hash.ts';
import { type Batch, NO_TARGET } from '../../model/batch.ts';
import type { OneVision } from '../../model/onevision.ts';
import { openPacks } from '../../pack/read.ts';
import type { Pack } from '../../pack/record.ts';
import { noGrad, setNumThreads, tidy } from '../../tensor/index.ts';
import { loadTokenizer } from '../../text/tokenizer.ts';
import { Assembler } from './assemble.ts';

let dir = '';
let model: OneVision;
let assembler: Assembler;
let packs: Pack[] = [];

before(async () => {
  setNumThreads(1);
  dir = mkdtempSync(join(tmpdir(), 'packed-'));
  await prepareTinyRun(dir);
  model = tinyModel(dir);
  assembler = new Assembler(loadTokenizer(join(dir, 'tokenizer')), TINY_SPEC);
  using reader = openPacks(join(dir, 'packs'));
  packs = Array.from({ length: Math.min(6, reader.numPacks) }, (_, pack) => reader.read(pack));
});
after(() => {
  model[Symbol.dispose]();
  rmSync(dir, { recursive: true });
});

function lossOf(batch: Batch): number {
  return noGrad(() => tidy(() => model.loss(batch).lossSum.item()));
}

/** The logits of every token, one row after the other. */
function logitsOf(batch: Batch): number[] {
  return noGrad(() => tidy(() => model.logits(model.features(batch)).toNumbers()));
}

test('the loss of a pack is the sum over its samples packed alone', async () => {
  for (const pack of packs) {
    assert.ok(pack.samples.length > 1);
    const whole = lossOf((await assembler.assemble(pack, 0)).batch);
    let sum = 0;
    for (const sample of pack.samples) {
      sum += lossOf((await assembler.assemble({ ...pack, samples: [sample] }, 0)).batch);
    }
    assert.ok(Math.abs(whole - sum) <= 1e-5 * Math.abs(sum), `${whole} and ${sum}`);
  }
});

test('no target lies across the border of two samples, and each is the token that follows', async () => {
  for (const pack of packs) {
    const { inputIds, targets, cuSeqlens, positions } = (await assembler.assemble(pack, 0)).batch;
    assert.equal(cuSeqlens.length, pack.samples.length + 1);
    for (let segment = 0; segment < pack.samples.length; segment += 1) {
      const start = cuSeqlens[segment] ?? 0;
      const end = cuSeqlens[segment + 1] ?? 0;
      assert.equal(targets[end - 1], NO_TARGET);
      assert.equal(positions[start], 0);
      const supervised = targets.subarray(start, end).filter((target) => target !== NO_TARGET);
      assert.ok(supervised.length > 0);
      for (let i = start; i < end - 1; i += 1) {
        if (targets[i] !== NO_TARGET) assert.equal(targets[i], inputIds[i + 1]);
      }
    }
  }
});

test('a change in one segment leaves the logits of all others as they are, to the bit', async () => {
  const random = createRandom('perturb');
  for (const pack of packs.slice(0, 3)) {
    const { batch } = await assembler.assemble(pack, 0);
    const { cuSeqlens } = batch;
    const before = logitsOf(batch);
    const width = before.length / batch.inputIds.length;
    const changed = random.int(pack.samples.length);
    const [start, end] = [cuSeqlens[changed] ?? 0, cuSeqlens[changed + 1] ?? 0];
    const after = logitsOf(perturb(batch, pack, changed));
    const rows = (of: readonly number[], from: number, to: number): number[] =>
      of.slice(from * width, to * width);
    assert.deepEqual(rows(after, 0, start), rows(before, 0, start));
    assert.deepEqual(
      rows(after, end, cuSeqlens.at(-1) ?? 0),
      rows(before, end, cuSeqlens.at(-1) ?? 0),
    );
    assert.notDeepEqual(rows(after, start, end), rows(before, start, end));
  }
});

/** Another first token in one segment, and the negative of its pictures. */
function perturb(batch: Required<Batch>, pack: Pack, changed: number): Batch {
  const inputIds = batch.inputIds.slice();
  const start = batch.cuSeqlens[changed] ?? 0;
  inputIds[start] = (inputIds[start] ?? 0) === 1 ? 2 : 1;
  const pixels = batch.pixels.slice();
  const perPatch = 3 * TINY_SPEC.processor.patchSize ** 2;
  const patchesOf = (samples: Pack['samples']): number =>
    samples.reduce((sum, sample) => sum + sample.patches, 0);
  const first = patchesOf(pack.samples.slice(0, changed)) * perPatch;
  const count = (pack.samples[changed]?.patches ?? 0) * perPatch;
  for (let i = first; i < first + count; i += 1) pixels[i] = -(pixels[i] ?? 0);
  return { ...batch, inputIds, pixels };
}
