// LLaVA-OneVision-1.5-8B at full scale: 85M captions, 22M instructions. Only its mid-training schedule
// is published; what the other stages leave open follows the quick start of the 4B.
// Sources: [script] examples/llava_ov_1_5/quick_start/*_4b.sh of the original; [packing] its
// sample_packing/config.yaml; [paper] arXiv 2509.23661; [issue] what its authors answered in issue 64
// of LLaVA-OneVision-2; [ours] not published, our choice.
//
// Before it: onevision convert merge --vision RICE --decoder QWEN3-8B --processor QWEN2.5-VL --output …
// What it costs: onevision plan recipes/llava-onevision-1.5-8b.ts --gpus 128 --gpu a800 --price 0.6
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
  name: 'llava-onevision-1.5-8b',
  model: { from: 'models/llava-onevision-1.5-8b-stage0', sizes: '8b' },
  processor: QWEN_PROCESSOR, // [packing] 3136 to 2,560,000 pixels
  pack: { maxTokens: 8192 }, // [packing] max_len, [paper] context of 8K
  stages: {
    align: {
      phases: [{ packs: 'data/LLaVA-558K-Webdataset' }], // [paper]
      train: {
        ...everywhere,
        steps: 2500, // [ours] that of the 4B
        packsPerStep: 8, // [ours] that of the 4B
        trainable: ['merger'], // [paper]
        optimizer: { ...adam, lr: 1e-4, betas: [0.9, 0.99], weightDecay: 0 }, // [ours] of the 4B
      },
    },
    'mid-train': {
      phases: [
        {
          // [paper] 65M English and 20M Chinese captions; [ours] packed apart, mixed in every step
          packs: [
            { from: 'data/LLaVA-OneVision-1.5-Mid-Training-85M-packs/en', weight: 65 },
            { from: 'data/LLaVA-OneVision-1.5-Mid-Training-85M-packs/zh', weight: 20 },
          ],
        },
      ],
      train: {
        ...everywhere,
        steps: 70_000, // [issue] about 7.84M packs of 8K
        packsPerStep: 112, // [issue]; the paper's table says 224, which the authors corrected
        trainable: ['vision', 'merger', 'language'], // [paper]
        optimizer: { ...adam, lr: 1e-5, betas: [0.9, 0.95], weightDecay: 0.01 }, // [ours] of the 4B
      },
    },
    instruct: {
      phases: [{ packs: 'data/LLaVA-OneVision-1.5-Instruct-packs' }], // [paper] 22M
      train: {
        ...everywhere,
        steps: 21_700, // [ours] 22M samples of 904 tokens on average, packed, once
        packsPerStep: 112, // [ours] that of mid-training
        trainable: ['vision', 'merger', 'language'], // [paper]
        optimizer: { ...adam, lr: 1e-5, betas: [0.9, 0.99], weightDecay: 0 }, // [ours] of the 4B
      },
    },
  },
});
export default recipe;
