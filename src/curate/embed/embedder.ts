// What curation asks of a model of pictures and texts: vectors whose cosine says how well they agree.
// Types and small arithmetic; the models are elsewhere and the command line wires them.

/** Encodes pictures and texts into one space. */
export interface Embedder {
  /** Model and revision: part of the hash of every result made with it. */
  readonly name: string;
  readonly dim: number;
  /** Encoded pictures (PNG, JPEG, …) → [images, dim], each row of length 1. */
  embedImages(images: readonly Uint8Array[]): Promise<Float32Array>;
  /** Texts → [texts, dim], each row of length 1. */
  embedTexts(texts: readonly string[]): Promise<Float32Array>;
  close(): void | Promise<void>;
}

/**
 * The products of a fixed matrix with blocks of rows. `load` takes `right` [columns, dim] in;
 * `multiply(left)` with left [rows, dim] gives left · rightᵀ, [rows, columns].
 */
export interface MatrixProduct {
  readonly name: string;
  load(right: Float32Array, dim: number): LoadedMatrix;
}

export interface LoadedMatrix {
  /** The result may be overwritten by the next call. */
  multiply(left: Float32Array): Float32Array;
  free(): void;
}

/** Scale each row of [rows, dim] to length 1, in place; a row of zeros stays. */
export function normaliseRows(rows: Float32Array, dim: number): Float32Array {
  for (let start = 0; start < rows.length; start += dim) {
    let squares = 0;
    for (let at = start; at < start + dim; at++) squares += (rows[at] as number) ** 2;
    const scale = squares > 0 ? 1 / Math.sqrt(squares) : 0;
    for (let at = start; at < start + dim; at++) rows[at] = (rows[at] as number) * scale;
  }
  return rows;
}
