// Matches pictures to concepts by embedding: the K concepts whose names lie nearest to a picture.
import { OneVisionError } from '../../core/errors.ts';
import type { Sample } from '../../sample/sample.ts';
import type { Embedder, MatrixProduct } from '../embed/embedder.ts';
import { createConceptSearch } from '../match/top-k.ts';
import type { ConceptMatcher, Matched } from './matcher.ts';

export interface EmbeddingMatcherOptions {
  /** Of the names of the concepts: `embedNames`. */
  readonly vectors: Float32Array;
  readonly embedder: Embedder;
  readonly product: MatrixProduct;
  /** Concepts of each picture. */
  readonly k: number;
  /** Lowest cosine that counts; default: any. */
  readonly minCosine?: number;
}

const TEXTS_AT_ONCE = 256;

/** Names → [names, dim]. `template` is what a name is embedded as; `{}` is the name. */
export async function embedNames(
  names: readonly string[],
  embedder: Embedder,
  template: string,
): Promise<Float32Array> {
  const vectors = new Float32Array(names.length * embedder.dim);
  for (let at = 0; at < names.length; at += TEXTS_AT_ONCE) {
    const texts = names.slice(at, at + TEXTS_AT_ONCE).map((name) => template.replace('{}', name));
    vectors.set(await embedder.embedTexts(texts), at * embedder.dim);
  }
  return vectors;
}

/**
 * A sample without a picture has no concepts; the first picture counts. One that does not decode
 * has its reason.
 */
export function embeddingMatcher(options: EmbeddingMatcherOptions): ConceptMatcher {
  const { vectors, embedder, product, k, minCosine = -1 } = options;
  const search = createConceptSearch(vectors, embedder.dim, product);
  const nearest = async (images: readonly Uint8Array[]): Promise<Matched[]> => {
    if (images.length === 0) return [];
    const { ids, scores } = search.search(await embedder.embedImages(images), k);
    return images.map((_, row) => {
      const near = ids.subarray(k * row, k * (row + 1));
      return near.filter((id, i) => id >= 0 && (scores[k * row + i] ?? -1) >= minCosine);
    });
  };
  return {
    match: async (samples) => {
      const images = samples.flatMap(({ images: [first] }) =>
        first === undefined ? [] : [first.bytes],
      );
      const found = await eachOrWhy(images, nearest);
      let next = 0;
      return samples.map((sample: Sample): Matched => {
        const own = sample.images.length === 0 ? undefined : found[next++];
        return own ?? new Int32Array(0);
      });
    },
  };
}

/** All at once; where one of them spoils it, each alone. */
async function eachOrWhy(
  images: readonly Uint8Array[],
  nearest: (images: readonly Uint8Array[]) => Promise<Matched[]>,
): Promise<Matched[]> {
  try {
    return await nearest(images);
  } catch (error) {
    if (!(error instanceof OneVisionError) || error.code !== 'data') throw error;
    if (images.length === 1) return [error.message];
    const found: Matched[] = [];
    for (const image of images) found.push(...(await eachOrWhy([image], nearest)));
    return found;
  }
}
