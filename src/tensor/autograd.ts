// Autograd: backward, gradients and the no-grad mode. The graph lives in libtorch.
import { type Handle, native } from './native.ts';
import { Tensor } from './tensor.ts';

export interface BackwardOptions {
  /** Gradient of the output itself, of its shape; needed where it is not one number. */
  readonly gradient?: Tensor | readonly Tensor[];
  /** Keep the saved tensors for a second backward. Default: they are freed. */
  readonly retainGraph?: boolean;
  /** Make the gradients differentiable. */
  readonly createGraph?: boolean;
}

/**
 * Adds d output / d leaf, of one output or the sum over several, to the `grad` of every leaf that asks for it, and frees the graph.
 * @throws OneVisionError 'native' where nothing requires grad or the graph was freed already
 */
export function backward(output: Tensor | readonly Tensor[], options: BackwardOptions = {}): void {
  const { gradient, createGraph = false, retainGraph = createGraph } = options;
  const listOf = (value: Tensor | readonly Tensor[]): Handle[] =>
    handlesOf(value instanceof Tensor ? [value] : value);
  const seeds = gradient === undefined ? null : listOf(gradient);
  native().backward(listOf(output), seeds, retainGraph, createGraph);
}

/**
 * d outputs / d inputs, without touching any `grad`. Null for an input that has no influence.
 * @param gradOutputs one for each output, of its shape; may be left out for scalar outputs
 */
export function gradients(
  outputs: Tensor | readonly Tensor[],
  inputs: readonly Tensor[],
  gradOutputs?: readonly Tensor[],
  options: { readonly retainGraph?: boolean; readonly createGraph?: boolean } = {},
): (Tensor | null)[] {
  const { createGraph = false, retainGraph = createGraph } = options;
  const from = outputs instanceof Tensor ? [outputs] : outputs;
  const seeds = gradOutputs === undefined ? null : handlesOf(gradOutputs);
  const handles = native().gradients(
    handlesOf(from),
    handlesOf(inputs),
    seeds,
    retainGraph,
    createGraph,
  );
  return handles.map((handle) => (handle === null ? null : new Tensor(handle)));
}

/** Runs `body` without recording a graph. */
export function noGrad<T>(body: () => T): T {
  return withGradMode(false, body);
}

/** Runs `body` recording a graph, also inside `noGrad`. */
export function enableGrad<T>(body: () => T): T {
  return withGradMode(true, body);
}

/** Whether operators record a graph now. */
export function gradEnabled(): boolean {
  const before = native().setGradEnabled(true);
  native().setGradEnabled(before);
  return before;
}

/** Starts or stops collecting gradients for a leaf. Returns the tensor. */
export function setRequiresGrad(tensor: Tensor, value: boolean): Tensor {
  tensor.requiresGrad = value;
  return tensor;
}

function withGradMode<T>(enabled: boolean, body: () => T): T {
  const before = native().setGradEnabled(enabled);
  try {
    return body();
  } finally {
    native().setGradEnabled(before);
  }
}

function handlesOf(tensors: readonly Tensor[]): Handle[] {
  return tensors.map((tensor) => tensor.handle);
}
