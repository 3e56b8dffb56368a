// The demo: LLaVA-OneVision-1.5's three stages at two million parameters, on emoji art and digits.
// Sizes and schedule are our choice for two CPU cores; docs/demo.md says how they were found.
import type { AugmentInput } from '../src/image/augment.ts';
import { QWEN_PROCESSOR } from '../src/image/config.ts';
import { defineRecipe, type Recipe } from '../src/index.ts';
import { HELD_OUT_SETS } from '../src/synth/index.ts';

const drawing: AugmentInput = {
  rotation: 0.2,
  scaleMin: 0.75,
  scaleMax: 1.15,
  aspect: 0.1,
  shift: 0.1,
  flip: 0.5,
  tint: 0.25,
  anyPaper: 0.1,
  outline: 0.4,
  blur: 0.15,
  grey: 0.1,
  saturation: 0.6,
  contrast: 0.3,
  whiteBalance: 0.12,
  gamma: 0.3,
};
const train = {
  lossWeighting: 'sqrt-length',
  augment: { captions: drawing, talk: drawing },
  logEvery: 25,
  saveEvery: 250,
  imageCacheMiB: 1024,
} as const;
const muon = { name: 'muon', muonPrecision: 'bfloat16', weightDecay: 0.05, warmup: 0.04 } as const;
const base = { captions: 12_000, counting: 3000, colours: 1000, places: 1000 };

const recipe: Recipe = defineRecipe({
  name: 'demo',
  curate: { balance: { aggregate: 'mean', replacement: true, target: 1 } },
  synth: {
    sets: [
      { name: 'captions', task: 'caption', count: 12_000, yesNo: 0.3 },
      { name: 'talk', task: 'caption', count: 12_000, yesNo: 1 },
      { name: 'one-digit', task: 'numbers', count: 6000, lengths: [1, 0, 0], jitter: 0.3 },
      { name: 'two-digits', task: 'numbers', count: 6000, lengths: [0.4, 0.6, 0], jitter: 0.6 },
      { name: 'numbers', task: 'numbers', count: 16_000, lengths: [0.2, 0.35, 0.45] },
      { name: 'colours', task: 'numbers', count: 3000, colours: true },
      { name: 'counting', task: 'counting', count: 9000 },
      { name: 'places', task: 'counting', count: 3000, extras: true },
      ...HELD_OUT_SETS,
    ],
  },
  tokenizer: { vocabSize: 2048, defaultSystem: '' },
  processor: { ...QWEN_PROCESSOR, maxPixels: 84 * 84 },
  model: { width: 128, headDim: 64, visionLayers: 4, textLayers: 3 },
  pack: { maxTokens: 3584, maxPatches: 36 * 96 },
  stages: {
    align: {
      phases: [{ mix: { captions: 6000 } }],
      train: { ...train, steps: 30, trainable: ['merger'], optimizer: { ...muon, lr: 3e-3 } },
    },
    'mid-train': {
      phases: [
        { steps: 270, mix: { ...base, 'one-digit': 6000 } },
        { steps: 280, mix: { ...base, 'two-digits': 6000 } },
        { mix: { ...base, numbers: 8000 } },
      ],
      train: { ...train, steps: 850, optimizer: { ...muon, lr: 3e-3, minLr: 1.5e-3 } },
    },
    instruct: {
      phases: [
        { mix: { talk: 12_000, numbers: 10_000, counting: 4000, colours: 1500, places: 1500 } },
      ],
      train: { ...train, steps: 850, optimizer: { ...muon, lr: 1.5e-3 } },
    },
  },
  eval: ['unseen-style', 'unseen-concepts', 'numbers', 'counting', 'yes-no', 'colour', 'position'],
});
export default recipe;
