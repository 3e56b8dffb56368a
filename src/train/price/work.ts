// What a piece of training has to get through: tokens, patches and their squares. Everything that is
// counted in FLOPs or bytes is counted from these sums.

import { type Batch, NO_TARGET, numGridPatches } from '../../model/batch.ts';

export interface Work {
  readonly tokens: number;
  /** Σ n² over segments of n tokens: attention sees nothing beyond a segment. */
  readonly tokenSquares: number;
  /** Supervised tokens: logits are made for no other. */
  readonly targets: number;
  readonly patches: number;
  /** Σ p² over frames of p patches. */
  readonly patchSquares: number;
  /** Frames: images, and the frames of videos. Each has a class token. */
  readonly frames: number;
}

export const NO_WORK: Work = {
  tokens: 0,
  tokenSquares: 0,
  targets: 0,
  patches: 0,
  patchSquares: 0,
  frames: 0,
};

/** What one batch holds. */
export function workOf({ cuSeqlens, targets, grids }: Batch): Work {
  let tokenSquares = 0;
  for (let i = 0; i + 1 < cuSeqlens.length; i += 1) {
    tokenSquares += ((cuSeqlens[i + 1] ?? 0) - (cuSeqlens[i] ?? 0)) ** 2;
  }
  let frames = 0;
  let patchSquares = 0;
  for (let i = 0; i + 2 < grids.length; i += 3) {
    const numFrames = grids[i] ?? 0;
    frames += numFrames;
    patchSquares += numFrames * ((grids[i + 1] ?? 0) * (grids[i + 2] ?? 0)) ** 2;
  }
  let supervised = 0;
  for (const target of targets) if (target !== NO_TARGET) supervised += 1;
  return {
    tokens: cuSeqlens.at(-1) ?? 0,
    tokenSquares,
    targets: supervised,
    patches: numGridPatches(grids),
    patchSquares,
    frames,
  };
}

export function addWork(a: Work, b: Work): Work {
  return {
    tokens: a.tokens + b.tokens,
    tokenSquares: a.tokenSquares + b.tokenSquares,
    targets: a.targets + b.targets,
    patches: a.patches + b.patches,
    patchSquares: a.patchSquares + b.patchSquares,
    frames: a.frames + b.frames,
  };
}

/** The same work so many times. */
export function scaleWork(work: Work, times: number): Work {
  return {
    tokens: work.tokens * times,
    tokenSquares: work.tokenSquares * times,
    targets: work.targets * times,
    patches: work.patches * times,
    patchSquares: work.patchSquares * times,
    frames: work.frames * times,
  };
}
