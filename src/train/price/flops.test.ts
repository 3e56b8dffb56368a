// FLOPs against PyTorch's own count of the same products, a loop over pairs, and published figures.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { randomSegment, SMALL } from '../../../test/support/model.ts';
import { makeBatch } from '../../model/batch.ts';
import { ONEVISION_4B, ONEVISION_8B, ONEVISION_30B_A3B } from '../../model/presets.ts';
import { forwardFlops, type LearnSettings, trainFlops } from './flops.ts';
import { peakOf } from './gpus.ts';
import { addWork, NO_WORK, scaleWork, type Work, workOf } from './work.ts';

interface Golden {
  readonly rank: number;
  readonly tokens: number;
  readonly patches: number;
  readonly rows: readonly {
    readonly trainable: LearnSettings['trainable'];
    readonly recompute: boolean;
    readonly lora: boolean;
    readonly flops: number;
  }[];
}
const golden = JSON.parse(
  readFileSync(new URL('../../../test/parity/golden/flops.json', import.meta.url), 'utf8'),
) as Golden;
const ALL: LearnSettings = { trainable: ['vision', 'merger', 'language'], recompute: {} };

test('equals the count of PyTorch for every choice of trained parts, recomputation and adapters', () => {
  const { tokens, patches, rank } = golden;
  // PyTorch's attention there is not causal: 4 n² where ours counts 2 (n² + n).
  const work: Work = {
    tokens,
    tokenSquares: 2 * tokens ** 2 - tokens,
    targets: tokens,
    patches,
    patchSquares: patches ** 2,
    frames: 1,
  };
  for (const { trainable, recompute, lora, flops } of golden.rows) {
    const settings: LearnSettings = {
      trainable,
      recompute: recompute ? { vision: 'full', language: 'full' } : {},
      lora: lora ? { rank, alpha: 2 * rank, parts: ['language'] } : undefined,
    };
    const ours = trainFlops(SMALL, work, settings);
    assert.equal(ours.hardware, flops, `${trainable} ${recompute} ${lora}`);
    if (!recompute) assert.equal(ours.model, ours.hardware);
  }
});

test('attention counts the pairs that see each other and nothing between samples or images', () => {
  const segments = [
    randomSegment('a', 7, [
      [2, 4],
      [4, 4],
    ]),
    randomSegment('b', 12, []),
    randomSegment('c', 3, [[2, 2]]),
  ];
  const work = workOf(makeBatch(segments));
  const { text, vision } = SMALL;
  let pairs = 0;
  for (const { inputIds } of segments) {
    for (let q = 0; q < inputIds.length; q += 1) for (let k = 0; k <= q; k += 1) pairs += 1;
  }
  const flops = forwardFlops(SMALL, work);
  assert.equal(flops.textAttention, pairs * 4 * text.numLayers * text.numHeads * text.headDim);
  const frames = segments.flatMap(({ images }) => images.map((i) => i.gridH * i.gridW + 1));
  const seen = frames.reduce((sum, rows) => sum + rows ** 2, 0);
  assert.equal(flops.visionAttention, seen * 4 * vision.depth * vision.hiddenSize);
  assert.equal(work.targets, segments.flatMap((s) => [...s.targets]).filter((t) => t >= 0).length);
  const parts = segments.map((segment) => workOf(makeBatch([segment])));
  assert.deepEqual(parts.reduce(addWork, NO_WORK), work);
  assert.deepEqual(addWork(work, work), scaleWork(work, 2));
});

test('the published sizes give the published FLOPs a token', () => {
  // reference: Qwen3-8B 45.4 GF a token linear, 52.7 causal at 8K; 4B has an untied head here.
  const row = (tokens: number): Work => ({
    ...NO_WORK,
    tokens,
    tokenSquares: tokens ** 2,
    targets: tokens,
  });
  const each = (config: typeof ONEVISION_8B, tokens: number): number =>
    trainFlops(config, row(tokens), ALL).model / tokens / 1e9;
  assert.ok(Math.abs(each(ONEVISION_8B, 1) - 45.4) < 0.05);
  assert.ok(Math.abs(each(ONEVISION_8B, 8192) - 52.7) < 0.05);
  assert.ok(Math.abs(each(ONEVISION_4B, 8192) - 31.4) < 0.05);
  // 3B of 30B are active: experts that a token does not go to cost nothing.
  assert.ok(each(ONEVISION_30B_A3B, 1) / 6 < 3.4);
  // A picture of 560 × 560: 7.3 GF linear and 1.9 GF attention an image token, trained.
  const patches = 1600;
  const image: Work = { ...NO_WORK, patches, patchSquares: patches ** 2, frames: 1 };
  const tower = forwardFlops(ONEVISION_8B, image);
  const perToken = (flops: number): number => (3 * flops) / (patches / 4) / 1e9;
  assert.ok(Math.abs(perToken(tower.visionLinear) - 7.3) < 0.1);
  assert.ok(Math.abs(perToken(tower.visionAttention) - 1.9) < 0.1);
});

test('peaks are known by the name of the device', () => {
  assert.equal(peakOf('NVIDIA H100 80GB HBM3'), 989e12);
  assert.equal(peakOf('NVIDIA A800-SXM4-80GB'), 312e12);
  assert.equal(peakOf('cpu'), undefined);
});
