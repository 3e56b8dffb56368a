// The demo: LLaVA-OneVision-1.5's three stages at 2 million parameters, on emoji art and digits.
// Sizes and schedule are our choice for two CPU cores; docs/demo.md says what was tried.

import { QWEN_PROCESSOR } from '../src/image/config.ts';
import { defineRecipe, type Recipe } from '../src/index.ts';
import { HELD_OUT_SETS } from '../src/synth/index.ts';

const drawing = {
  rotation: 0.2,
  scaleMin: 0.75,
  scaleMax: 1.15,
  aspect: 0.1,
  shift: 0.1,
  tint: 0.25,
  anyPaper: 0.1,
  outline: 0.4,
  blur: 0.15,
  saturation: 0.6,
  grey: 0.1,
  contrast: 0.3,
  whiteBalance: 0.12,
  gamma: 0.3,
} as const;
const augment = { captions: drawing, talk: drawing };
const muon = {
  name: 'muon',
  lr: 3e-3,
  betas: [0.9, 0.95],
  weightDecay: 0.05,
  warmup: 0.04,
} as const;
const common = {
  packsPerStep: 1,
  lossWeighting: 'sqrt-length',
  augment,
  logEvery: 50,
  saveEvery: 250,
} as const;

const recipe: Recipe = defineRecipe({
  name: 'demo',
  seed: 1,
  corpus: { profile: 'emoji', size: 84 },
  curate: { balance: { aggregate: 'mean', replacement: true, target: 1 } },
  synth: {
    sets: [
      { name: 'captions', task: 'caption', count: 12_000, yesNo: 0.3 },
      { name: 'talk', task: 'caption', count: 12_000, yesNo: 1 },
      {
        name: 'digits',
        task: 'numbers',
        count: 6000,
        lengths: [1, 0, 0],
        jitter: 0.3,
        colours: true,
      },
      {
        name: 'two-digits',
        task: 'numbers',
        count: 6000,
        lengths: [0.4, 0.6, 0],
        jitter: 0.6,
        colours: true,
      },
      {
        name: 'numbers',
        task: 'numbers',
        count: 16_000,
        lengths: [0.2, 0.35, 0.45],
        colours: true,
      },
      { name: 'counting', task: 'counting', count: 14_000, extras: true },
      ...HELD_OUT_SETS,
    ],
  },
  tokenizer: { vocabSize: 2048, defaultSystem: '' },
  processor: { ...QWEN_PROCESSOR, maxPixels: 84 * 84 },
  model: { width: 128, headDim: 64, visionLayers: 4, textLayers: 3 },
  pack: { maxTokens: 4096, maxPatches: 36 * 96 },
  stages: {
    align: {
      phases: [{ mix: { captions: 12_000 } }],
      train: { ...common, steps: 30, trainable: ['merger'], optimizer: muon },
    },
    'mid-train': {
      phases: [
        { steps: 300, mix: { captions: 12_000, digits: 5000, counting: 3000 } },
        { steps: 300, mix: { captions: 12_000, 'two-digits': 5000, counting: 3000 } },
        { mix: { captions: 12_000, numbers: 5000, counting: 3000 } },
      ],
      train: { ...common, steps: 900, optimizer: muon },
    },
    instruct: {
      phases: [{ mix: { talk: 12_000, numbers: 7000, counting: 5000 } }],
      train: { ...common, steps: 900, optimizer: { ...muon, lr: 1.5e-3 } },
    },
  },
  eval: ['unseen-style', 'unseen-concepts', 'numbers', 'counting', 'yes-no', 'colour', 'position'],
});
export default recipe;
