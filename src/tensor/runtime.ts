// The runtime: seeds, random generators, threads, versions. No operators.
import { type GeneratorHandle, native, type RuntimeInfo } from './native.ts';
import { Tensor } from './tensor.ts';

/** Seeds the default random generators of all devices. */
export function manualSeed(seed: number | bigint): void {
  native().manualSeed(seed);
}

/** A random generator of its own, for operators that take one. Made by `createGenerator`. */
export class Generator {
  readonly handle: GeneratorHandle;

  constructor(handle: GeneratorHandle) {
    this.handle = handle;
  }

  manualSeed(seed: number | bigint): void {
    native().seedGenerator(this.handle, seed);
  }

  /** The whole state as bytes: `setState` continues the sequence exactly. */
  getState(): Tensor {
    return new Tensor(native().generatorState(this.handle));
  }

  setState(state: Tensor): void {
    native().setGeneratorState(this.handle, state.handle);
  }
}

/** A generator that nobody else draws from: the same seed gives the same sequence. */
export function createGenerator(device: string, seed: number | bigint): Generator {
  return new Generator(native().createGenerator(device, seed));
}

/** State of a device's default generator, as a uint8 tensor. */
export function getRandomState(device = 'cpu'): Tensor {
  return new Tensor(native().generatorState(device));
}

/** Continues a device's default generator from a state that `getRandomState` gave. */
export function setRandomState(state: Tensor, device = 'cpu'): void {
  native().setGeneratorState(device, state.handle);
}

/** Threads inside one operator. */
export function numThreads(): number {
  return native().numThreads();
}

export function setNumThreads(count: number): void {
  native().setNumThreads(count);
}

/** libtorch's version, CPU capability and parallel settings. */
export function runtimeInfo(): RuntimeInfo {
  return native().runtimeInfo();
}

/**
 * Runs `body` and writes what libtorch did meanwhile as a timeline for chrome://tracing or Perfetto.
 * @param device its kernels are in it too
 */
export function profile<T>(path: string, device: string, body: () => T): T {
  native().startProfile(device !== 'cpu');
  try {
    return body();
  } finally {
    native().stopProfile(path);
  }
}
