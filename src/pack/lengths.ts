// How long a sample is: tokens by the real tokenizer and template, patches from image headers alone.
// One function for packer, loader, trainer and server. Whole folders are lengths/ business.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { sha256Hex } from '../core/hash.ts';
import type { ProcessorConfig } from '../image/config.ts';
import { readImageSize } from '../image/decode.ts';
import { countImageTokens } from '../image/smart-resize.ts';
import type { Sample } from '../sample/sample.ts';
import { encodeChat } from '../text/chat-template.ts';
import type { Tokenizer } from '../text/tokenizer.ts';

export interface LengthContext {
  readonly tokenizer: Tokenizer;
  readonly processor: ProcessorConfig;
}

/** Names a tokenizer by the content of its files: packs counted with one train with no other. */
export function tokenizerHash(dir: string): string {
  const files = ['tokenizer.json', 'tokenizer_config.json'];
  return sha256Hex(files.map((name) => sha256Hex(readFileSync(join(dir, name)))).join(' '));
}

/**
 * Tokens and patches of one sample, whatever its number of images and turns.
 * @throws OneVisionError 'data' when an image has no readable header or `<image>` does not match.
 */
export async function measureSample(
  sample: Pick<Sample, 'messages' | 'images'>,
  context: LengthContext,
): Promise<{ tokens: number; patches: number }> {
  const counts = [];
  for (const image of sample.images) {
    const { height, width } = await readImageSize(image.bytes);
    counts.push(countImageTokens(height, width, context.processor));
  }
  const { ids } = encodeChat(
    context.tokenizer,
    sample.messages,
    counts.map((count) => count.tokens),
  );
  return {
    tokens: ids.length,
    patches: counts.reduce((sum, count) => sum + count.patches, 0),
  };
}
