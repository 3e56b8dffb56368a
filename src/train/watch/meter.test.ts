// The meter: FLOPs over the time that passed, MFU where the peak is known, absent where it is not.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { randomSegment, SMALL } from '../../../test/support/model.ts';
import { makeBatch } from '../../model/batch.ts';
import type { AssembledPack } from '../data/segments.ts';
import { stepFacts } from '../parallel/facts.ts';
import { ALONE } from '../parallel/ranks.ts';
import { trainFlops } from '../price/flops.ts';
import { type Work, workOf } from '../price/work.ts';
import { peakFlopsOf } from './gauge.ts';
import { Meter } from './meter.ts';

const RESULT = {
  loss: 1,
  bySource: new Map([['a', { sum: 2, weight: 2 }]]),
  gradNorm: 1,
  gradNorms: new Map(),
  communicationMs: 0,
  forwardMs: 1,
  backwardMs: 1,
  optimizerMs: 1,
  computeMs: [2],
};
const settings = {
  trainable: ['vision', 'merger', 'language'] as const,
  recompute: { language: 'full', vision: 'none' } as const,
};

test('FLOPs are those of the packs, MFU and HFU shares of the peak', async () => {
  const segments = [randomSegment('a', 9), randomSegment('b', 14, [])];
  const batch = { ...makeBatch(segments), lossWeights: new Float32Array(0) };
  const pack = { key: 'p', batch, sources: ['a', 'a'], uids: ['1', '2'], skipped: [] };
  const factsOf = (packs: AssembledPack[]) =>
    stepFacts({ entries: [], packs, waitMs: 0 }, [1], ALONE);
  const flopsOf = (work: Work) => trainFlops(SMALL, work, settings);
  const gauge = { flopsOf, peakFlops: 1e9, peakBytes: () => 2 ** 30 };
  const meter = new Meter(gauge);
  for (let step = 0; step < 3; step += 1) meter.add(factsOf([pack, pack]), RESULT);
  await new Promise((resolve) => setTimeout(resolve, 20));
  const metrics = meter.take({ lr: 1, gradNorm: 1, gradNorms: new Map([['merger', 0.5]]) });
  const seconds = (3 * (metrics['perf/step_ms'] ?? 0)) / 1000;
  const expected = flopsOf(workOf(batch));
  const close = (a: number | undefined, b: number): void =>
    assert.ok(Math.abs((a ?? 0) / b - 1) < 1e-9, `${a} and ${b}`);
  close(metrics['perf/tflops'], (6 * expected.model) / seconds / 1e12);
  close(metrics['perf/mfu'], (6 * expected.model) / seconds / 1e9);
  close(metrics['perf/hfu'], (6 * expected.hardware) / seconds / 1e9);
  assert.ok(expected.hardware > expected.model);
  assert.equal(metrics['mem/peak_gib'], 1);
  assert.equal(metrics['train/grad_norm_merger'], 0.5);
  assert.equal(metrics['train/grad_norm_vision'], undefined);

  const blind = new Meter({ ...gauge, peakFlops: undefined });
  blind.add(factsOf([pack]), RESULT);
  assert.equal(blind.take({ lr: 1, gradNorm: 1, gradNorms: new Map() })['perf/mfu'], undefined);
  assert.equal(peakFlopsOf('cpu'), undefined);
});
