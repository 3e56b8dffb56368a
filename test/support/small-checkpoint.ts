// A model folder of a few kilobytes with a tokenizer of its own, for tests of commands that open one.
import { QWEN_PROCESSOR } from '../../src/image/config.ts';
import { saveCheckpoint } from '../../src/model/checkpoint.ts';
import { vocabularyOf } from '../../src/model/presets.ts';
import { createTokenizer } from '../../src/text/tokenizer.ts';
import { trainTokenizer } from '../../src/text/train-bpe.ts';
import { SMALL, smallModel } from './model.ts';

export async function saveSmallCheckpoint(
  folder: string,
  texts: readonly string[] = ['a red fox', 'a red fox', 'the owl'],
): Promise<void> {
  const tokenizer = createTokenizer(trainTokenizer(texts, 300));
  const { vocabSize, ...tokens } = vocabularyOf(tokenizer);
  using model = smallModel({ config: { ...SMALL, ...tokens, text: { ...SMALL.text, vocabSize } } });
  const image = { ...QWEN_PROCESSOR, patchSize: 2, minPixels: 16, maxPixels: 64 };
  await saveCheckpoint(folder, model, { tokenizer, image });
}
