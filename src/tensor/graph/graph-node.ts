// Values whose gradient TypeScript computes, and tensors whose memory is given back between forward
// and backward. The primitives of recomputation (nn/lean/recompute.ts) and of chunked losses.
import { type Handle, native } from '../native.ts';
import { tidy } from '../scope.ts';
import { Tensor } from '../tensor.ts';

/**
 * Gradients of the inputs, null for those without. `saved` are aliases of what was saved;
 * `gradients` has one entry an output, null where none came. Runs inside `tidy`.
 */
export type GradientFunction = (
  saved: readonly Tensor[],
  gradients: readonly (Tensor | null)[],
) => readonly (Tensor | null)[];

/**
 * Tensors over the memory of `outputs` that lead to `inputs` through `gradient`. They require a
 * gradient even where no input does: parameters may collect theirs inside `gradient`.
 * @param saved kept until the graph is freed and handed to `gradient`
 */
export function withGradient(
  outputs: readonly Tensor[],
  inputs: readonly Tensor[],
  saved: readonly Tensor[],
  gradient: GradientFunction,
): Tensor[] {
  const handles = (tensors: readonly Tensor[]): Handle[] => tensors.map(({ handle }) => handle);
  const wrap = (handle: Handle | null): Tensor | null =>
    handle === null ? null : new Tensor(handle);
  const made = native().graphNode(handles(inputs), handles(saved), handles(outputs), (kept, came) =>
    tidy(() =>
      gradient(
        kept.map((handle) => new Tensor(handle)),
        came.map(wrap),
      ),
    ).map((result) => result?.handle ?? null),
  );
  return made.map((handle) => new Tensor(handle));
}

/**
 * Gives back the memory of a tensor that graphs go on holding by its shape. Nothing may read it until
 * `refill`; every view of it is empty too.
 */
export function empty(tensor: Tensor): void {
  native().emptyStorage(tensor.handle);
}

/** Memory and elements again for a tensor that was emptied; not a change that graphs notice. */
export function refill(tensor: Tensor, source: Tensor): void {
  native().refillStorage(tensor.handle, source.handle);
}

/** Memory again for a tensor that was emptied, with any elements: something fills it next. */
export function allocate(tensor: Tensor): void {
  native().refillStorage(tensor.handle, null);
}
