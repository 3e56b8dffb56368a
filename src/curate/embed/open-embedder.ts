// Opens the embedder that the settings name as a module: curation knows none of its own.
import { openModule } from '../open-module.ts';
import type { Embedder, MatrixProduct } from './embedder.ts';

/** What a module exports under the name `embedder`. */
export interface EmbedderModule {
  open(): Promise<Embedder> | Embedder;
  /** A faster matrix product than that of plain TypeScript. */
  product?(): Promise<MatrixProduct> | MatrixProduct;
}

/** @throws OneVisionError 'recipe' for a module that is missing or exports no embedder. */
export async function openEmbedderModule(module: string): Promise<EmbedderModule> {
  return await openModule<EmbedderModule>('embedder', module, 'embedder');
}
