// How many parameters each piece of a model has, and how many of them learn.

import type { OneVisionConfig } from '../../model/config.ts';
import type { Part, TrainConfig } from '../config.ts';

/** One piece: a block, the merger, an embedding. */
export interface PieceSize {
  readonly total: number;
  /** Of them or beside them, as adapters, those that learn. */
  readonly learned: number;
}

export interface ModelSize {
  readonly stem: PieceSize;
  /** Each block of the tower. */
  readonly visionBlock: PieceSize;
  readonly merger: PieceSize;
  readonly embedding: PieceSize;
  /** Each layer of the decoder. */
  readonly layers: readonly PieceSize[];
  /** The last norm, and the output head where it is not the embedding. */
  readonly head: PieceSize;
  readonly all: PieceSize;
}

export function modelSize(
  { vision, text }: OneVisionConfig,
  { trainable, lora }: Pick<TrainConfig, 'trainable' | 'lora'>,
): ModelSize {
  const piece = (part: Part, total: number, adapted: number): PieceSize => {
    if (!trainable.includes(part)) return { total, learned: 0 };
    const isAdapted = lora?.parts.includes(part) ?? false;
    return { total, learned: isAdapted ? adapted * (lora?.rank ?? 0) : total };
  };
  const { hiddenSize: c, intermediateSize: i, mergeSize, inChannels, patchSize } = vision;
  const merged = c * mergeSize ** 2;
  const patchLength = inChannels * patchSize ** 2;
  const stem = piece('vision', 3 * c + c / vision.numHeads / 2 + patchLength * c, 0);
  const visionBlock = piece('vision', 4 * c * c + 2 * c * i + 9 * c + i, 8 * c + 2 * i);
  const { hiddenSize: h, headDim, vocabSize, intermediateSize: f, experts } = text;
  const merger = piece('merger', 2 * c + merged ** 2 + merged + merged * h + h, 3 * merged + h);
  const [queries, keys] = [text.numHeads * headDim, text.numKvHeads * headDim];
  const attention = 2 * h * (queries + keys) + 2 * h + 2 * headDim;
  const adapters = 2 * (h + queries) + 2 * (h + keys);
  const layers = Array.from({ length: text.numLayers }, (_, layer) => {
    if (experts === undefined || experts.denseLayers.includes(layer)) {
      return piece('language', attention + 3 * h * f, adapters + 3 * (h + f));
    }
    const { numExperts, intermediateSize } = experts;
    const feed = h * numExperts + 3 * numExperts * h * intermediateSize;
    return piece('language', attention + feed, adapters + h + numExperts);
  });
  const embedding = piece('language', vocabSize * h, 0);
  const head = piece('language', h + (text.tieEmbeddings ? 0 : vocabSize * h), 0);
  const blocks = new Array<PieceSize>(vision.depth).fill(visionBlock);
  const pieces = [stem, ...blocks, merger, embedding, ...layers, head];
  const sum = (key: keyof PieceSize): number => pieces.reduce((total, one) => total + one[key], 0);
  const all = { total: sum('total'), learned: sum('learned') };
  return { stem, visionBlock, merger, embedding, layers, head, all };
}
