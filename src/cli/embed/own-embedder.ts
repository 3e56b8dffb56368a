// Our own model as an embedder. A picture: what tower and merger write in the place of its image
// tokens, averaged. A text: the embeddings of its tokens, averaged. Both are rows that the decoder
// reads, so they share a space; how near they come is what training has made of it.
import { type Embedder, normaliseRows } from '../../curate/embed/embedder.ts';
import { hashCheckpoint } from '../../eval/index.ts';
import { processImage } from '../../image/patchify.ts';
import { loadCheckpoint } from '../../model/checkpoint.ts';
import { fromArray, type Tensor, tidy } from '../../tensor/index.ts';
import * as ops from '../../tensor/ops.ts';

/** @throws OneVisionError 'checkpoint' when the folder is not a model of ours. */
export async function openOwnEmbedder(folder: string): Promise<Embedder> {
  const { model, processor } = loadCheckpoint(folder);
  const dim = model.config.text.hiddenSize;
  const embedImage = async (bytes: Uint8Array): Promise<Float32Array> => {
    const { pixels, gridH, gridW } = await processImage(bytes, processor.image);
    const grids = Int32Array.of(1, gridH, gridW);
    return tidy(() => meanRow(model.imageRows({ pixels, grids })));
  };
  const embedText = (text: string): Float32Array => {
    const ids = processor.tokenizer.encode(text);
    if (ids.length === 0) return new Float32Array(dim);
    const { device } = model;
    const { embedding } = model.decoder;
    return tidy(() => meanRow(embedding.forward(fromArray(ids, [ids.length], { device }))));
  };
  const rows = (parts: readonly Float32Array[]): Float32Array => {
    const out = new Float32Array(parts.length * dim);
    for (const [row, part] of parts.entries()) out.set(part, row * dim);
    return normaliseRows(out, dim);
  };
  return {
    name: `onevision ${(await hashCheckpoint(folder)).slice(0, 12)}`,
    dim,
    embedImages: async (images) => {
      const parts: Float32Array[] = [];
      for (const bytes of images) parts.push(await embedImage(bytes));
      return rows(parts);
    },
    embedTexts: async (texts) => rows(texts.map(embedText)),
    close: () => model[Symbol.dispose](),
  };
}

/** [n, hidden] → [hidden] */
function meanRow(rows: Tensor): Float32Array {
  return Float32Array.from(ops.meanDim(rows, [0], { dtype: 'float32' }).toNumbers());
}
