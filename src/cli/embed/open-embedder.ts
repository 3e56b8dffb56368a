// Opens an embedder by what the command line calls it. Also a module of its own for curation, which
// opens embedders by module, in every process: the model is in the query of its address.
import { existsSync, globSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { OneVisionError } from '../../core/errors.ts';
import { sha256File } from '../../core/files.ts';
import type { Embedder, MatrixProduct } from '../../curate/embed/embedder.ts';
import type { EmbedderModule } from '../../curate/embed/open-embedder.ts';
import { PLAIN_PRODUCT } from '../../curate/embed/plain-product.ts';
import { hashConfig } from '../../sample/manifest.ts';

/** The embedded default. */
export const PACKAGED = 'packaged';

/**
 * `packaged`, a folder with a CLIP or SigLIP exported to ONNX, or a model folder of ours.
 * @throws OneVisionError 'usage' for a folder that holds neither, else as the embedder does.
 */
export async function openEmbedder(model: string): Promise<Embedder> {
  if (model === PACKAGED) {
    const { openPackagedEmbedder } = await import('./packaged/packaged.ts');
    return await openPackagedEmbedder();
  }
  const holds = (name: string): boolean => existsSync(join(model, name));
  if (holds('vision_model.onnx') || holds('onnx/vision_model.onnx')) {
    const { openOnnxEmbedder } = await import('../../curate/embed/onnx.ts');
    return await openOnnxEmbedder(model);
  }
  if (holds('config.json')) {
    const { openOwnEmbedder } = await import('./own-embedder.ts');
    return await openOwnEmbedder(model);
  }
  throw new OneVisionError('usage', `Expected an embedder, got ${model}.`, {
    hint: `give ${PACKAGED}, a folder with vision_model.onnx and text_model.onnx, or a model folder`,
  });
}

/**
 * The address of this module for one model, as the setting `embedder` of curation takes it. It has
 * a hash of the model's files: with other weights the samples are looked at again.
 */
export async function embedderModule(model: string): Promise<string> {
  const url = new URL(import.meta.url);
  const path = model === PACKAGED ? model : resolve(model);
  url.search = new URLSearchParams({ model: path, hash: await hashFiles(path) }).toString();
  return url.href;
}

async function hashFiles(folder: string): Promise<string> {
  const hashes: string[] = [];
  for (const path of globSync('{,onnx/}*.{json,onnx,safetensors}', { cwd: folder }).sort()) {
    hashes.push(path, await sha256File(join(folder, path)));
  }
  return hashConfig(hashes).slice(0, 16);
}

/** What curation opens where `embedder` names this module. */
export const embedder: EmbedderModule = {
  open: () => openEmbedder(new URL(import.meta.url).searchParams.get('model') ?? PACKAGED),
  product: fastestProduct,
};

/** libtorch where the addon is built, plain TypeScript elsewhere. */
async function fastestProduct(): Promise<MatrixProduct> {
  if (!existsSync(new URL('../../../build/addon.json', import.meta.url))) return PLAIN_PRODUCT;
  const { torchProduct } = await import('./torch-product.ts');
  return torchProduct();
}
