// Wires matching by embedding: an ONNX model, and the fastest matrix product there is.
import { existsSync } from 'node:fs';
import {
  type EmbeddingMatcherOptions,
  embeddingMatcher,
} from '../../curate/concepts/embedding-matcher.ts';
import type { ConceptMatcher } from '../../curate/concepts/match-source.ts';
import type { MatrixProduct } from '../../curate/embed/embedder.ts';
import { openOnnxEmbedder } from '../../curate/embed/onnx.ts';
import { PLAIN_PRODUCT } from '../../curate/embed/plain-product.ts';

export interface PictureMatcher {
  readonly matcher: ConceptMatcher;
  close(): Promise<void>;
}

/** @throws OneVisionError as `openOnnxEmbedder` does. */
export async function openPictureMatcher(
  folder: string,
  options: Omit<EmbeddingMatcherOptions, 'embedder' | 'product'>,
): Promise<PictureMatcher> {
  const embedder = await openOnnxEmbedder(folder);
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
