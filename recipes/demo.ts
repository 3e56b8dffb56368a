// The demo: LLaVA-OneVision-1.5's three stages at two million parameters, on emoji art and digits.
// Sizes and schedule are our choice for two CPU cores; docs/demo.md says how they were found.
import type { AugmentInput } from '../src/image/augment/augment.ts';
import { QWEN_PROCESSOR } from '../src/image/config.ts';
import { defineRecipe, type Recipe } from '../src/index.ts';
import { HELD_OUT_SETS } from '../src/synth/index.ts';

const drawing: AugmentInput = {
  rotation: 0.2,
  scaleMin: 0.8,
  scaleMax: 1.15,
  shift: 0.1,
  flip: 0.5,
  tint: 0.25,
  outline: 0.25,
  blur: 0.1,
  grey: 0.05,
  saturation: 0.4,
  contrast: 0.2,
  whiteBalance: 0.1,
  gamma: 0.2,
};
const train = {
  lossWeighting: 'sqrt-length',
  augment: { captions: drawing, talk: drawing },
  logEvery: 50,
  saveEvery: 400,
  imageCacheMiB: 1024,
} as const;
const muon = { name: 'muon', weightDecay: 0.05, warmup: 0.04 } as const;
const base = { captions: 10_500, counting: 5400, colour: 700, position: 300 };

const recipe: Recipe = defineRecipe({
  name: 'demo',
  curate: { balance: { target: 0.95 } },
  synth: {
    sets: [
      { name: 'captions', task: 'caption', count: 12_000, turns: 1, yesNo: 0.1 },
      { name: 'talk', task: 'caption', count: 12_000, turns: 1, yesNo: 0.25 },
      { name: 'pages', task: 'grid', count: 6000 },
      { name: 'loose-digits', task: 'grid', count: 6000, side: 2 },
      { name: 'numbers', task: 'numbers', count: 20_000, lengths: [0.2, 0.35, 0.45] },
      { name: 'counting', task: 'counting', count: 18_000 },
      { name: 'colour', task: 'colour', count: 2000 },
      { name: 'position', task: 'position', count: 1000 },
      ...HELD_OUT_SETS,
    ],
  },
  tokenizer: { vocabSize: 2048, defaultSystem: '' },
  processor: { ...QWEN_PROCESSOR, maxPixels: 84 * 84 },
  model: { width: 128, headDim: 64, visionLayers: 4, textLayers: 3 },
  pack: { maxTokens: 1536, maxPatches: 36 * 64 },
  stages: {
    align: {
      phases: [{ mix: { captions: 6000 } }],
      train: { ...train, steps: 60, trainable: ['merger'], optimizer: { ...muon, lr: 3e-3 } },
    },
    'mid-train': {
      phases: [
        { steps: 760, mix: { ...base, pages: 4800, 'loose-digits': 500 } },
        { mix: { ...base, pages: 500, 'loose-digits': 2500, numbers: 5500 } },
      ],
      train: { ...train, steps: 1420, optimizer: { ...muon, lr: 3e-3, minLr: 1.5e-3 } },
    },
    instruct: {
      phases: [
        {
          mix: {
            talk: 12_000,
            numbers: 16_000,
            'loose-digits': 2000,
            counting: 13_500,
            colour: 1300,
            position: 300,
          },
        },
      ],
      train: { ...train, steps: 1320, optimizer: { ...muon, lr: 1.5e-3 } },
    },
  },
  eval: ['unseen-style', 'unseen-concepts', 'numbers', 'counting', 'yes-no', 'colour', 'position'],
});
export default recipe;
