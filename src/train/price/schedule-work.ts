// What a stage will get through: measured on its packs where they are there, else counted from its
// schedule with assumptions that are listed.

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { PACK_TABLE, packRows } from '../../pack/write/pack-table.ts';
import { MANIFEST } from '../../sample/manifest.ts';
import { addWork, NO_WORK, scaleWork, type Work } from './work.ts';

/** What a pack is taken to hold where no pack is there to be measured. */
export interface PackShape {
  readonly tokens: number;
  /** Samples in a pack, of equal length. */
  readonly segments: number;
  /** Share of the tokens that are image tokens. */
  readonly imageShare: number;
  /** One image token stands for so many patches. */
  readonly patchesPerToken: number;
}

/**
 * Of the 85M captions in about 8M packs: 10.6 samples a pack (paper); two thirds of the tokens are of
 * images (our assumption).
 */
export const ASSUMED_PACK: Omit<PackShape, 'tokens' | 'patchesPerToken'> = {
  segments: 10.6,
  imageShare: 0.65,
};

/** One pack of that shape: one image a sample, all of its text supervised. */
export function workOfShape(shape: PackShape): Work {
  const { tokens, segments, imageShare, patchesPerToken } = shape;
  const patches = tokens * imageShare * patchesPerToken;
  return {
    tokens,
    tokenSquares: tokens ** 2 / segments,
    targets: tokens * (1 - imageShare),
    patches,
    patchSquares: patches ** 2 / segments,
    frames: imageShare > 0 ? segments : 0,
  };
}

/** A mean pack of a set and how many there are. */
export interface MeanPack {
  readonly numPacks: number;
  readonly work: Work;
}

/**
 * The mean pack of a set by the table of its packs; undefined where there is none. The table has sums
 * over samples: one image a sample is assumed, and that all text is supervised.
 */
export async function meanPack(
  folder: string,
  patchesPerToken: number,
): Promise<MeanPack | undefined> {
  if (!existsSync(join(folder, MANIFEST)) || !existsSync(join(folder, PACK_TABLE))) {
    return undefined;
  }
  let sum = NO_WORK;
  let numPacks = 0;
  for await (const { tokens, squares, patches, patchSquares, segments } of packRows(folder)) {
    sum = addWork(sum, {
      tokens,
      tokenSquares: squares,
      targets: Math.max(0, tokens - patches / patchesPerToken),
      patches,
      patchSquares,
      frames: patches > 0 ? segments : 0,
    });
    numPacks += 1;
  }
  return { numPacks, work: scaleWork(sum, numPacks === 0 ? 0 : 1 / numPacks) };
}
