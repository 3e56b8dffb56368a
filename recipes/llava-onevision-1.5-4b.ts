// LLaVA-OneVision-1.5-4B on the data of the original's quick start: its three stages with its settings.
// Sources: [script] examples/llava_ov_1_5/quick_start/stage_{1,1.5,2}_*_4b.sh of the original;
// [packing] its sample_packing/config.yaml; [paper] arXiv 2509.23661; [ours] not published, our choice.
//
// Before it: onevision convert merge --vision RICE --decoder QWEN3-4B --processor QWEN2.5-VL --output …
// Run it: onevision train recipes/llava-onevision-1.5-4b.ts --stage align|mid-train|instruct|all
import { QWEN_PROCESSOR } from '../src/image/config.ts';
import { defineRecipe, type Recipe } from '../src/index.ts';

const everywhere = {
  microBatchPacks: 1, // [script] micro-batch 1
  precision: 'bfloat16', // [script] bf16; float32 copies and state as its distributed optimizer
  recompute: { vision: 'full', language: 'full' }, // [script] full, uniform; changes no bit
  saveEvery: 2000, // [script]
  logEvery: 10, // [ours]
  workers: 8, // [ours] of 16 loader processes in the script
} as const;
const adam = {
  name: 'adamw',
  minLr: 1e-6, // [script]
  warmup: 0.002, // [script] share of the steps; cosine over the rest
  eps: 1e-5, // [script]
  clip: 1, // [script]
} as const;

const recipe: Recipe = defineRecipe({
  name: 'llava-onevision-1.5-4b',
  model: { from: 'models/llava-onevision-1.5-4b-stage0', sizes: '4b' },
  processor: QWEN_PROCESSOR, // [packing] 3136 to 2,560,000 pixels
  pack: { maxTokens: 8192 }, // [packing] max_len; the scripts' 32,768 is a ceiling
  stages: {
    align: {
      phases: [{ packs: 'data/LLaVA-558K-Webdataset' }], // [script] about 20,000 packs
      train: {
        ...everywhere,
        steps: 2500, // [script]
        packsPerStep: 8, // [script] global batch
        trainable: ['merger'], // [script] adapter only
        optimizer: { ...adam, lr: 1e-4, betas: [0.9, 0.99], weightDecay: 0 }, // [script]
      },
    },
    'mid-train': {
      // [script] 384,332 packs; the 85M in full are in the recipe of the 8B
      phases: [{ packs: 'data/LLaVA-OneVision-1.5-Mid-Training-Quick-Start-3M-Webdataset' }],
      train: {
        ...everywhere,
        steps: 20_000, // [script]
        packsPerStep: 16, // [script] global batch
        trainable: ['vision', 'merger', 'language'], // [script]
        optimizer: { ...adam, lr: 1e-5, betas: [0.9, 0.95], weightDecay: 0.01 }, // [script]
      },
    },
    instruct: {
      // [ours] packed; the script takes LLaVA-NeXT-780k sample by sample
      phases: [{ packs: 'data/LLaVA-NeXT-780k-packs' }],
      train: {
        ...everywhere,
        steps: 3500, // [script]
        packsPerStep: 24, // [ours] as many tokens as its 224 samples: 224 · 904 / 8192
        trainable: ['vision', 'merger', 'language'], // [script]
        optimizer: { ...adam, lr: 1e-5, betas: [0.9, 0.99], weightDecay: 0 }, // [script]
      },
    },
  },
});
export default recipe;
