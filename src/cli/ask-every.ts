// What a model in training says on fixed prompts, greedily: rows for the run's `samples/`.
import { readFile } from 'node:fs/promises';
import type { ProcessorConfig } from '../image/config.ts';
import { generateText } from '../model/generate.ts';
import type { OneVision } from '../model/onevision.ts';
import { preparePrompt } from '../model/processor.ts';
import type { Recipe } from '../recipe.ts';
import { IMAGE_MARK } from '../text/special-tokens.ts';
import { loadTokenizer } from '../text/tokenizer.ts';
import type { TrainOptions } from '../train/train-options.ts';

/** @param processor folder of the tokenizer, and the image settings */
export function askEvery(
  { every, prompts, maxNewTokens = 64 }: NonNullable<Recipe['samples']>,
  processor: { readonly tokenizer: string; readonly image: ProcessorConfig },
): NonNullable<TrainOptions['generate']> {
  const tokenizer = loadTokenizer(processor.tokenizer);
  const prepare = async ({ text, images = [] }: (typeof prompts)[number]) => {
    const marks = text.includes(IMAGE_MARK) ? '' : IMAGE_MARK.repeat(images.length);
    const messages = [{ role: 'user', content: marks + text }] as const;
    const bytes = await Promise.all(images.map((path) => readFile(path)));
    return preparePrompt({ tokenizer, image: processor.image }, { messages, images: bytes });
  };
  return {
    every,
    rows: async (model: OneVision) => {
      const segments = await Promise.all(prompts.map(prepare));
      const replies = generateText(model, tokenizer, segments, { maxNewTokens, temperature: 0 });
      return prompts.map(({ text }, i) => ({
        uid: `prompt-${i + 1}`,
        prompt: text,
        completion: replies[i]?.text ?? '',
      }));
    },
  };
}
