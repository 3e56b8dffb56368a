// Sizes and token counts: by hand, by property, and the named errors.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createRandom } from '../core/hash.ts';
import { type ProcessorConfig, processorSchema, QWEN_PROCESSOR } from './config.ts';
import { countImageTokens, roundHalfEven, smartResize } from './smart-resize.ts';

test('halves go to the even integer, as in Python', () => {
  const cases = [
    [0.5, 0],
    [1.5, 2],
    [2.5, 2],
    [3.5, 4],
    [2.4999, 2],
    [2.5001, 3],
    [-0.5, 0],
    [-1.5, -2],
    [7, 7],
  ] as const;
  for (const [x, expected] of cases) assert.ok(roundHalfEven(x) === expected, `round(${x})`);
});

test('sizes derived by hand', () => {
  const cases = [
    // height, width → height, width
    [84, 84, 84, 84],
    [70, 70, 56, 56], // 2.5 → 2, and 56 · 56 is the minimum
    [98, 98, 112, 112], // 3.5 → 4
    [42, 98, 56, 112], // 1.5 → 2
    [224, 300, 224, 308], // 10.71 → 11
    [28, 28, 56, 56], // 784 < 3136: β = 2
    [1, 1, 56, 56],
    [10, 500, 28, 420], // 0 · 504 < 3136: β = √(3136 / 5000) = 0.792
    [1600, 1600, 1596, 1596], // 57.14 → 57
    [3000, 4000, 1372, 1820], // β = √(12e6 / 2.56e6) = 2.165; ⌊49.49⌋, ⌊65.98⌋
    [14, 2800, 28, 812], // 0.5 → 0, so 0 · 2800 < 3136: β = √(3136 / 39200) = 0.283
  ] as const;
  for (const [h, w, height, width] of cases) {
    assert.deepEqual(smartResize(h, w, QWEN_PROCESSOR), { height, width }, `${h} × ${w}`);
  }
});

test('tokens are patches over four; the demo picture has nine', () => {
  assert.deepEqual(countImageTokens(84, 84, QWEN_PROCESSOR), {
    gridH: 6,
    gridW: 6,
    patches: 36,
    tokens: 9,
  });
  const big = countImageTokens(1600, 1600, QWEN_PROCESSOR);
  assert.equal(big.tokens, 57 * 57);
});

test('any picture: multiples of 28, area in bounds, aspect kept within a block', () => {
  const random = createRandom('sizes');
  for (let i = 0; i < 3000; i++) {
    const height = 1 + random.int(4000);
    const width = 1 + random.int(4000);
    if (Math.max(height, width) > 200 * Math.min(height, width)) continue;
    const { height: h, width: w } = smartResize(height, width, QWEN_PROCESSOR);
    assert.ok(h % 28 === 0 && w % 28 === 0 && h > 0 && w > 0);
    assert.ok(h * w >= QWEN_PROCESSOR.minPixels && h * w <= QWEN_PROCESSOR.maxPixels);
    const { patches, tokens, gridH, gridW } = countImageTokens(height, width, QWEN_PROCESSOR);
    assert.ok(patches === (h / 14) * (w / 14) && tokens * 4 === patches);
    assert.ok(gridH * 14 === h && gridW * 14 === w && tokens <= 3265);
    const again = smartResize(h, w, QWEN_PROCESSOR);
    assert.deepEqual(again, { height: h, width: w }, 'a fixed point');
  }
});

test('ratio over 200 and empty pictures are named errors', () => {
  assert.deepEqual(smartResize(28, 5600, QWEN_PROCESSOR), { height: 28, width: 5600 });
  const fails = (h: number, w: number, message: RegExp): void =>
    assert.throws(() => smartResize(h, w, QWEN_PROCESSOR), { code: 'data', message });
  fails(28, 5601, /200-fold.*28 × 5601/);
  fails(0, 10, /at least 1 × 1.*height 0/);
  fails(10, Number.NaN, /at least 1 × 1/);
});

test('other block sizes; a wrong key of the settings is an error', () => {
  const cfg: ProcessorConfig = { ...QWEN_PROCESSOR, patchSize: 16, mergeSize: 1, minPixels: 256 };
  assert.equal(countImageTokens(40, 24, cfg).tokens, 2 * 2); // 2.5 → 2, 1.5 → 2
  assert.deepEqual(processorSchema.parse(QWEN_PROCESSOR), QWEN_PROCESSOR);
  assert.throws(() => processorSchema.parse({ ...QWEN_PROCESSOR, patch: 1 }), /patch/);
});
