// Tensor lifetimes: tidy() frees what was made inside it, keep() exempts. Garbage collection is the
// safety net for tensors that no scope owns.
import { OneVisionError } from '../core/errors.ts';
import { type Handle, native } from './native.ts';

/** What a scope manages: a Tensor, seen from here only as something to free. */
export interface Disposable {
  readonly handle: Handle;
  dispose(): void;
}

const scopes: Disposable[][] = [];
const kept = new WeakSet<Disposable>();

/** Releases what nobody disposed; the addon ignores handles that were released already. */
const unreachable = new FinalizationRegistry<Handle>((handle) => native().release(handle));

/** Gives a tensor to the innermost `tidy()`; outside of one, to its maker and the safety net. */
export function enter(tensor: Disposable): void {
  const scope = scopes[scopes.length - 1];
  if (scope === undefined) unreachable.register(tensor, tensor.handle);
  else scope.push(tensor);
}

/**
 * Runs `body` and frees every tensor made inside it, except those it returns (arrays, maps and plain
 * objects are walked) and those given to `keep`. What it returns belongs to the enclosing scope.
 * @throws OneVisionError 'native' where `body` is asynchronous: its tensors would be freed too early
 */
export function tidy<T>(body: () => T): T {
  const scope: Disposable[] = [];
  scopes.push(scope);
  const survivors = new Set<unknown>();
  try {
    const result = body();
    if (result instanceof Promise) {
      throw new OneVisionError('native', 'tidy() expects a synchronous function; got a Promise.', {
        hint: 'Await outside, and call tidy() around each synchronous part.',
      });
    }
    collect(result, survivors);
    return result;
  } finally {
    scopes.pop();
    closeScope(scope, survivors);
  }
}

function closeScope(scope: readonly Disposable[], survivors: ReadonlySet<unknown>): void {
  for (const tensor of scope) {
    if (kept.has(tensor)) unreachable.register(tensor, tensor.handle);
    else if (survivors.has(tensor)) enter(tensor);
    else tensor.dispose();
  }
}

/** Exempts tensors from every `tidy()` around: their owner calls `dispose()`. Returns its argument. */
export function keep<T>(value: T): T {
  const found = new Set<unknown>();
  collect(value, found);
  for (const item of found) if (isDisposable(item)) kept.add(item);
  return value;
}

/** Live tensors of this thread, and the bytes of their distinct storages (views add none). */
export function memory(): { numTensors: number; sizeBytes: number } {
  return native().memory();
}

function isDisposable(value: unknown): value is Disposable {
  return typeof value === 'object' && value !== null && 'handle' in value && 'dispose' in value;
}

/** Adds the tensors reachable through arrays, maps, sets and plain objects. */
function collect(value: unknown, found: Set<unknown>): void {
  if (typeof value !== 'object' || value === null || found.has(value)) return;
  if (isDisposable(value)) {
    found.add(value);
    return;
  }
  const children = childrenOf(value);
  if (children === undefined) return;
  found.add(value);
  for (const child of children) collect(child, found);
}

function childrenOf(value: object): Iterable<unknown> | undefined {
  if (Array.isArray(value) || value instanceof Set) return value;
  if (value instanceof Map) return value.values();
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null ? Object.values(value) : undefined;
}
