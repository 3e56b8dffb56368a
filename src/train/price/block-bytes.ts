// What one block holds: between forward and backward, and while either runs. By what our layers save, in
// bytes a row; a: bytes of a number in the model's precision.

import type { TextConfig, VisionConfig } from '../../model/config.ts';
import type { Recompute } from '../../nn/lean/recompute.ts';

/** Bytes a row. */
export interface BlockBytes {
  /** Kept from forward to backward; without what leaves the block. */
  readonly kept: number;
  /** Alive at the end of its forward. */
  readonly forward: number;
  /** Alive while its backward runs, beyond what is kept. */
  readonly backward: number;
}

export interface BlockSettings {
  readonly mode: Recompute;
  readonly a: 2 | 4;
  /** Whether a gradient flows through it. */
  readonly learns: boolean;
  /** The processor normalises and rotates in several operators and repeats keys for their heads. */
  readonly onProcessor: boolean;
  /** Share of the rows that the feed-forward of a decoder's layer runs on. Default 1. */
  readonly fed?: number;
}

/** RMSNorm of n numbers beyond its input and output. */
function normBytes(n: number, { a, onProcessor }: BlockSettings): number {
  if (!onProcessor) return 0;
  return (a === 2 ? 4 * n : 0) + a * n; // input widened, rows before the weight
}

/** The rotation of n numbers while it runs, its output included. */
function rotationBytes(n: number, { a }: BlockSettings): number {
  return a === 2 ? (4 * 4 + a) * n : 3 * a * n;
}

/** A layer of the decoder; of experts the active ones. */
export function textBlock(text: TextConfig, layer: number, settings: BlockSettings): BlockBytes {
  const { a, mode, learns, onProcessor, fed = 1 } = settings;
  const { hiddenSize: h, headDim, numHeads, numKvHeads, experts } = text;
  const [q, k] = [numHeads * headDim, numKvHeads * headDim];
  const isSparse = experts !== undefined && !experts.denseLayers.includes(layer);
  const f = isSparse ? experts.numActive * experts.intermediateSize : text.intermediateSize;
  const repeated = onProcessor && numHeads !== numKvHeads ? 2 * q : 0;
  const widened = onProcessor && a === 2;
  const norm = normBytes(h, settings) + a * h;
  const attention =
    (widened ? 0 : a * (q + k)) + // before their norms
    normBytes(q, settings) +
    normBytes(k, settings) +
    a * q +
    (repeated > 0 ? a * repeated : 2 * a * k) +
    a * q +
    4 * numHeads;
  const attended = widened ? 0 : a * h;
  const plain = norm + attention + fed * (attended + norm + 4 * a * f);
  const selective = attention + fed * (a * h + 2 * a * f);
  const forward =
    norm +
    4 * a * h +
    [q, k].reduce(
      (sum, n) => sum + 2 * a * n + normBytes(n, settings) + rotationBytes(n, settings),
      0,
    ) +
    a * (k + repeated + q) +
    fed * (norm + 4 * a * f);
  if (!learns) return { kept: 0, forward, backward: 0 };
  const gradients = fed * 3 * a * f;
  if (mode === 'full') return { kept: 0, forward, backward: forward + gradients };
  if (mode === 'none') return { kept: plain, forward, backward: gradients };
  return { kept: selective, forward, backward: fed * (norm + a * f) + gradients };
}

/** A block of the tower. Its angles learn, so rotations keep what they rotate. */
export function visionBlock(vision: VisionConfig, settings: BlockSettings): BlockBytes {
  const { a, mode, learns } = settings;
  const { hiddenSize: c, intermediateSize: i, numHeads } = vision;
  const rotation = a === 2 ? 2 * 4 * 2 * c : a * 2 * c; // widened and rolled
  const attention = a * (3 * c + 2 * c + c) + rotation + 4 * numHeads;
  const plain = attention + a * (c + c + c + 2 * i);
  const forward = plain + a * 3 * c + rotationBytes(2 * c, settings);
  if (!learns) return { kept: 0, forward, backward: 0 };
  const gradients = 2 * a * i;
  if (mode === 'full') return { kept: 0, forward, backward: forward + gradients };
  if (mode === 'none') return { kept: plain, forward, backward: gradients };
  return { kept: attention + a * (c + i), forward, backward: a * (c + i) + gradients };
}
