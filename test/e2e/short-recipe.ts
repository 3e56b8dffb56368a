// The demo in a minute: one drawing style, few samples, few steps. For tests of the whole pipeline.
import { QWEN_PROCESSOR } from '../../src/image/config.ts';
import { defineRecipe, type Recipe } from '../../src/index.ts';

const train = { packsPerStep: 1, logEvery: 4, saveEvery: 4 } as const;
const optimizer = { name: 'muon', lr: 3e-3 } as const;
const mix = { captions: 200, numbers: 100, counting: 100 };

const recipe: Recipe = defineRecipe({
  name: 'short',
  corpus: { styles: ['twemoji'], size: 56 },
  curate: { balance: { target: 0.2 } },
  synth: {
    size: 84,
    samplesPerShard: 64,
    sets: [
      { name: 'captions', task: 'caption', count: 200 },
      { name: 'numbers', task: 'numbers', count: 150 },
      { name: 'counting', task: 'counting', count: 150 },
      { name: 'unseen-concepts', task: 'choice', pool: 'unseen-concepts', count: 20 },
      { name: 'counting', task: 'counting', pool: 'unseen-concepts', count: 20 },
    ],
  },
  tokenizer: { vocabSize: 512, defaultSystem: '' },
  processor: { ...QWEN_PROCESSOR, maxPixels: 84 * 84 },
  model: { width: 64, headDim: 32, visionLayers: 2, textLayers: 2 },
  pack: { maxTokens: 1024, maxPatches: 1024 },
  stages: {
    align: { phases: [{ mix }], train: { ...train, steps: 6, trainable: ['merger'], optimizer } },
    'mid-train': {
      phases: [{ mix, steps: 6 }, { mix }],
      train: { ...train, steps: 10, optimizer },
    },
    instruct: { phases: [{ mix }], train: { ...train, steps: 10, optimizer } },
  },
  eval: ['unseen-concepts', 'counting'],
});
export default recipe;
