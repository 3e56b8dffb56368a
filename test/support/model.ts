// A very small model and random samples for tests of src/model. Not the demo's preset.

import { createRandom } from '../../src/core/hash.ts';
import { NO_TARGET, type Segment } from '../../src/model/batch.ts';
import type { OneVisionConfig } from '../../src/model/config.ts';
import { OneVision } from '../../src/model/onevision.ts';
import { freshParameters } from '../../src/nn/init.ts';
import { type DType, setNumThreads } from '../../src/tensor/index.ts';

// Tensors of a few elements: a second thread would only wait.
setNumThreads(1);

export const IMAGE_TOKEN = 5;

/** Two layers a side, grouped-query attention, untied head; patches of 2 × 2 pixels. */
export const SMALL: OneVisionConfig = {
  vision: {
    depth: 2,
    hiddenSize: 16,
    numHeads: 2,
    intermediateSize: 24,
    inChannels: 3,
    patchSize: 2,
    mergeSize: 2,
    layerNormEps: 1e-5,
    preLayerNormEps: 1e-5,
    mergerEps: 1e-5,
  },
  text: {
    vocabSize: 40,
    hiddenSize: 24,
    intermediateSize: 32,
    numLayers: 2,
    numHeads: 4,
    numKvHeads: 2,
    headDim: 8,
    rmsNormEps: 1e-6,
    ropeTheta: 1e4,
    maxPositions: 512,
    tieEmbeddings: false,
  },
  imageTokenId: IMAGE_TOKEN,
  videoTokenId: 6,
  visionStartTokenId: 3,
  visionEndTokenId: 4,
  eosTokenId: 1,
  padTokenId: 0,
  initializerRange: 0.02,
};

/** A model with large weights (std 0.2), so that every path matters. */
export function smallModel(
  options: { config?: OneVisionConfig; dtype?: DType; seed?: number } = {},
): OneVision {
  const { config = SMALL, dtype = 'float32', seed = 1 } = options;
  return new OneVision(config, freshParameters({ seed, std: 0.2, dtype }));
}

/** A random sample with one image for each [gridH, gridW] and targets on its last third. */
export function randomSegment(
  name: string,
  numText: number,
  grids: readonly (readonly [number, number])[] = [[2, 4]],
): Required<Omit<Segment, 'lossWeights'>> {
  const random = createRandom('segment', name);
  const ids: number[] = [];
  const images = grids.map(([gridH, gridW]) => {
    ids.push(3, ...new Array<number>((gridH * gridW) / 4).fill(IMAGE_TOKEN), 4);
    const pixels = Float32Array.from({ length: gridH * gridW * 12 }, () => random.normal());
    return { pixels, gridH, gridW };
  });
  for (let i = 0; i < numText; i++) ids.push(7 + random.int(33));
  const targets = ids.map((_, i) =>
    i >= ids.length - 1 - numText / 3 && i + 1 < ids.length ? (ids[i + 1] as number) : NO_TARGET,
  );
  return { inputIds: Int32Array.from(ids), targets: Int32Array.from(targets), images };
}
