// What other folders use of synth.
export {
  HELD_OUT_SETS,
  type Pool,
  parseSynthConfig,
  type SynthConfig,
  type SynthConfigInput,
  type SynthSet,
  type SynthSetInput,
  setFolder,
  synthConfigSchema,
} from './config.ts';
export { type DigitSides, type DigitSource, MNIST_DIGITS } from './digits.ts';
export { type SynthesisedSet, type SynthesiseOptions, synthesise } from './synthesise.ts';
export type { Digits, Draft, Subject, Task, TaskContext } from './task.ts';
