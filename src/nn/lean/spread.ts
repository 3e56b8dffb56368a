// How the rows of one forward lie over processes, as a model sees it from one of them: it computes its own
// rows and asks where rows must meet. Here is the case of one process; others are in src/parallel.

import type { Tensor } from '../../tensor/index.ts';

/** Attention of all rows: q [rows, heads, dim]; k, v [rows, kvHeads, dim] → [rows, heads · dim]. */
export type Attend = (q: Tensor, k: Tensor, v: Tensor) => Tensor;

/** Images, and the rows that their tokens have. */
export interface ImagePlaces {
  /** Of each image. */
  readonly patches: readonly number[];
  readonly tokens: readonly number[];
  /** The row of every image token among those of all processes, in order of the tokens. */
  readonly rows: readonly number[];
  readonly numRows: number;
}

export interface Spread {
  /** Of `numRows` rows, those that lie here. */
  own(numRows: number): readonly [begin: number, end: number];
  /** `attend` over all rows for q, k, v of own rows; its value for own rows. */
  attend(qkv: readonly [Tensor, Tensor, Tensor], numRows: number, attend: Attend): Tensor;
  /**
   * What `make` gives for the image tokens whose rows lie here, in their order: [own tokens, hidden].
   * @param make [tokens, hidden] of some images, which may be none
   */
  images(places: ImagePlaces, make: (images: readonly number[]) => Tensor): Tensor;
  /** Values of own rows → those of all: value i is number `places[i]` of `count`. No gradient. */
  collect(values: Tensor, places: Int32Array, count: number): Tensor;
  /** Sum over the processes. No gradient. */
  sum(x: Tensor): Tensor;
}

/** All rows lie here. */
export const WHOLE: Spread = {
  own: (numRows) => [0, numRows],
  attend: ([q, k, v], _numRows, attend) => attend(q, k, v),
  images: ({ patches }, make) => make(patches.map((_, image) => image)),
  collect: (values) => values,
  sum: (x) => x,
};
