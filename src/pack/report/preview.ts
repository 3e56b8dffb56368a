// A pack as text: every segment with its tokens, those that are trained marked. What the model sees,
// so that a wrong template or mask meets the eye.

import type { ProcessorConfig } from '../../image/config.ts';
import { readImageSize } from '../../image/decode.ts';
import { countImageTokens } from '../../image/smart-resize.ts';
import { type EncodedChat, encodeChat, NO_TARGET } from '../../text/chat-template.ts';
import type { Tokenizer } from '../../text/tokenizer.ts';
import type { Pack, PackedSample } from '../record.ts';

/** A run of tokens that are all trained or all not. */
export interface TokenRun {
  readonly text: string;
  readonly isTrained: boolean;
  readonly numTokens: number;
}

export interface SegmentPreview {
  readonly uid: string;
  readonly source: string;
  readonly tokens: number;
  readonly numTrained: number;
  readonly runs: readonly TokenRun[];
}

/**
 * The segments of a pack as the loader encodes them. Image tokens come as one `⟨image: n tokens⟩`.
 * @throws OneVisionError 'data' when a sample does not encode.
 */
export async function previewPack(
  pack: Pack,
  tokenizer: Tokenizer,
  processor: ProcessorConfig,
): Promise<SegmentPreview[]> {
  return await Promise.all(
    pack.samples.map(async (sample) => {
      const encoded = await encode(sample, tokenizer, processor);
      const runs = runsOf(encoded, tokenizer);
      const trained = runs.filter((run) => run.isTrained);
      return {
        uid: sample.uid,
        source: sample.source,
        tokens: encoded.ids.length,
        numTrained: trained.reduce((sum, run) => sum + run.numTokens, 0),
        runs,
      };
    }),
  );
}

async function encode(
  sample: PackedSample,
  tokenizer: Tokenizer,
  processor: ProcessorConfig,
): Promise<EncodedChat> {
  const counts: number[] = [];
  for (const { bytes } of sample.images) {
    const { height, width } = await readImageSize(bytes);
    counts.push(countImageTokens(height, width, processor).tokens);
  }
  return encodeChat(tokenizer, sample.messages, counts);
}

/** A token is trained when the position before it has it as its target. */
function runsOf({ ids, targets }: EncodedChat, tokenizer: Tokenizer): TokenRun[] {
  const runs: TokenRun[] = [];
  const isTrained = (i: number): boolean => i > 0 && (targets[i - 1] ?? NO_TARGET) !== NO_TARGET;
  for (let from = 0; from < ids.length; ) {
    const isImage = ids[from] === tokenizer.ids.imagePad;
    let to = from + 1;
    while (
      to < ids.length &&
      isTrained(to) === isTrained(from) &&
      (ids[to] === tokenizer.ids.imagePad) === isImage
    ) {
      to += 1;
    }
    const numTokens = to - from;
    const text = isImage
      ? `⟨image: ${numTokens} tokens⟩`
      : tokenizer.decode(ids.subarray(from, to));
    runs.push({ text, isTrained: isTrained(from), numTokens });
    from = to;
  }
  return runs;
}
