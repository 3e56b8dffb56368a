// Wires matching by embedding: an embedder, and the fastest matrix product there is.
import { existsSync } from 'node:fs';
import {
  type EmbeddingMatcherOptions,
  embeddingMatcher,
} from '../../curate/concepts/embedding-matcher.ts';
import type { ConceptMatcher } from '../../curate/concepts/match-source.ts';
import type { MatrixProduct } from '../../curate/embed/embedder.ts';
import { PLAIN_PRODUCT } from '../../curate/embed/plain-product.ts';
import { openEmbedder } from './open-embedder.ts';

export interface PictureMatcher {
  readonly matcher: ConceptMatcher;
  close(): Promise<void>;
}

/** @throws OneVisionError as `openEmbedder` does. */
export async function openPictureMatcher(
  model: string,
  options: Omit<EmbeddingMatcherOptions, 'embedder' | 'product'>,
): Promise<PictureMatcher> {
  const embedder = await openEmbedder(model);
  const product = await fastestProduct();
  const matcher = await embeddingMatcher({ ...options, embedder, product });
  return {
    matcher,
    close: async () => {
      await embedder.close();
    },
  };
}

/** libtorch where the addon is built, plain TypeScript elsewhere. */
async function fastestProduct(): Promise<MatrixProduct> {
  if (!existsSync(new URL('../../../build/addon.json', import.meta.url))) return PLAIN_PRODUCT;
  const { torchProduct } = await import('./torch-product.ts');
  return torchProduct();
}
