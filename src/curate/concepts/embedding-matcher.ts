// Matches pictures to concepts by embedding: the K concepts whose names lie nearest to a picture.
import type { Sample } from '../../sample/sample.ts';
import type { Embedder, MatrixProduct } from '../embed/embedder.ts';
import { createConceptSearch } from '../match/top-k.ts';
import type { ConceptList } from './concept-list.ts';
import type { ConceptMatcher } from './match-source.ts';

export interface EmbeddingMatcherOptions {
  readonly list: ConceptList;
  readonly embedder: Embedder;
  readonly product: MatrixProduct;
  /** Concepts of each picture. */
  readonly k: number;
  /** Lowest cosine that counts; default: any. */
  readonly minCosine?: number;
  /** What a name is embedded as; `{}` is the name. Default: the name alone. */
  readonly template?: string;
}

const TEXTS_AT_ONCE = 256;

/** Embeds the names once. A sample without a picture has no concepts; the first picture counts. */
export async function embeddingMatcher(options: EmbeddingMatcherOptions): Promise<ConceptMatcher> {
  const { list, embedder, product, k, minCosine = -1, template = '{}' } = options;
  const { dim } = embedder;
  const vectors = new Float32Array(list.size * dim);
  for (let at = 0; at < list.size; at += TEXTS_AT_ONCE) {
    const names = list.names.slice(at, at + TEXTS_AT_ONCE);
    vectors.set(
      await embedder.embedTexts(names.map((name) => template.replace('{}', name))),
      at * dim,
    );
  }
  const search = createConceptSearch(vectors, dim, product);
  const match = async (samples: readonly Sample[]): Promise<Int32Array[]> => {
    const images = samples.flatMap(({ images: [first] }) =>
      first === undefined ? [] : [first.bytes],
    );
    if (images.length === 0) return samples.map(() => new Int32Array(0));
    const { ids, scores } = search.search(await embedder.embedImages(images), k);
    let row = 0;
    return samples.map((sample) => {
      if (sample.images.length === 0) return new Int32Array(0);
      const start = k * row++;
      return ids
        .subarray(start, start + k)
        .filter((id, i) => id >= 0 && (scores[start + i] ?? -1) >= minCosine);
    });
  };
  return { name: `${embedder.name} top ${k} above ${minCosine} of ${template}`, match };
}
