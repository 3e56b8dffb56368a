// onnxruntime-node as we use it, loaded when it is asked for: an optional dependency of 290 MB.
import { OneVisionError } from '../../core/errors.ts';

export interface OnnxTensor {
  readonly data: Float32Array | BigInt64Array;
  readonly dims: readonly number[];
}

export interface OnnxSession {
  readonly inputNames: readonly string[];
  readonly outputNames: readonly string[];
  run(feeds: Readonly<Record<string, OnnxTensor>>): Promise<Readonly<Record<string, OnnxTensor>>>;
  release(): Promise<void>;
}

export interface OnnxRuntime {
  readonly InferenceSession: {
    create(path: string, options: { intraOpNumThreads?: number }): Promise<OnnxSession>;
  };
  readonly Tensor: new (
    type: 'float32' | 'int64',
    data: Float32Array | BigInt64Array,
    dims: readonly number[],
  ) => OnnxTensor;
}

export const ONNX_PACKAGE = 'onnxruntime-node';

/** @throws OneVisionError 'usage' with the command that installs it, where it is not there. */
export async function loadOnnxRuntime(name: string = ONNX_PACKAGE): Promise<OnnxRuntime> {
  try {
    const module = (await import(name)) as { default?: OnnxRuntime } & OnnxRuntime;
    return module.default ?? module;
  } catch (error) {
    throw new OneVisionError('usage', `Embedding with ONNX needs the package ${name}.`, {
      hint: `npm install --no-save --ignore-scripts ${ONNX_PACKAGE}@1.30.0`,
      cause: error,
    });
  }
}
