// The tensor layer's public names. Operators are in ops.ts, files in safetensors.ts.
export {
  backward,
  enableGrad,
  gradEnabled,
  gradients,
  noGrad,
  setRequiresGrad,
} from './autograd.ts';
export {
  deviceMemory,
  deviceNames,
  isAccelerator,
  peakBytes,
  resetPeakMemory,
  synchronize,
} from './device.ts';
export type { DType, TypedArray } from './dtype.ts';
export type { DeviceMemory, RuntimeInfo } from './native.ts';
export { readAddonStamp } from './native.ts';
export { callOperator } from './operator.ts';
export {
  createGenerator,
  type Generator,
  getRandomState,
  manualSeed,
  numThreads,
  profile,
  runtimeInfo,
  setNumThreads,
  setRandomState,
} from './runtime.ts';
export { openSafetensors, type SafetensorsFile, saveSafetensors } from './safetensors.ts';
export { keep, memory, tidy } from './scope.ts';
export { type FromArrayOptions, fromArray, Tensor } from './tensor.ts';
