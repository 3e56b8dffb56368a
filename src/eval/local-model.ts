// Our own engine as a model under evaluation. The forward itself is in src/model.
import { createHash } from 'node:crypto';
import { createReadStream, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { hashUint32 } from '../core/hash.ts';
import { type Patches, processImage } from '../image/patchify.ts';
import type { OneVision } from '../model/onevision.ts';
import type { Processor } from '../model/processor.ts';
import { scoreReplies } from '../model/scoring/score-replies.ts';
import { encodeChat, NO_TARGET } from '../text/chat-template.ts';
import { encodeReplyPrompt } from '../text/jinja-template.ts';
import type { EvalModel } from './eval-model.ts';
import { type PreparedSegment, writeReplies } from './models/write-replies.ts';

export interface LocalModelOptions {
  /** Hash of the weights; see `hashCheckpoint`. */
  readonly identity: string;
  /** Tokens of prompts read at once. Default 2048: about a hundred short questions. */
  readonly maxBatchTokens?: number;
}

/**
 * Wraps a loaded model. Scoring counts the last reply of a conversation with its end-of-turn
 * token. A picture that several requests share is decoded once.
 */
export function localModel(
  model: OneVision,
  { tokenizer, image }: Processor,
  { identity, maxBatchTokens = 2048 }: LocalModelOptions,
): EvalModel<PreparedSegment> {
  const cache = new WeakMap<Uint8Array, Promise<Patches>>();
  const patchesOf = (bytes: Uint8Array): Promise<Patches> => {
    const known = cache.get(bytes) ?? processImage(bytes, image);
    cache.set(bytes, known);
    return known;
  };
  const { maxPositions } = model.config.text;
  return {
    identity,
    cannot(wanted) {
      if (wanted === 'score' || wanted.maxNewTokens < maxPositions) return undefined;
      return `replies of ${wanted.maxNewTokens} tokens do not fit its context of ${maxPositions}`;
    },
    async prepare({ uid, messages, images }, purpose) {
      const draw = hashUint32('reply', uid);
      const patches = await Promise.all(images.map(({ bytes }) => patchesOf(bytes)));
      const counts = patches.map(({ gridH, gridW }) => (gridH * gridW) / image.mergeSize ** 2);
      if (purpose === 'generate') {
        const inputIds = encodeReplyPrompt(tokenizer, messages, counts);
        return { segment: { inputIds, images: patches }, draw };
      }
      const { ids, targets } = encodeChat(tokenizer, messages, counts);
      const { start, reply } = lastReply(targets);
      const segment = { inputIds: ids.subarray(0, start + 1), images: patches };
      return { segment, reply, draw };
    },
    async score(requests) {
      const given = requests.map(({ segment, reply }) => {
        return { prompt: segment, reply: reply ?? new Int32Array() };
      });
      const sums = scoreReplies(model, given, maxBatchTokens);
      return sums.map((sumLogProb, i) => ({ sumLogProb, numTokens: given[i]?.reply.length ?? 0 }));
    },
    write: (requests, decoding, onReply) =>
      writeReplies(model, tokenizer, { requests, decoding, maxBatchTokens, onReply }),
  };
}

/** The targets of the last reply, and the position that predicts the first of them. */
function lastReply(targets: Int32Array): { readonly start: number; readonly reply: Int32Array } {
  const end = targets.findLastIndex((target) => target !== NO_TARGET) + 1;
  const start = targets.subarray(0, end).lastIndexOf(NO_TARGET) + 1;
  return { start, reply: targets.subarray(start, end) };
}

const HASHED = /^(config\.json|tokenizer\.json|preprocessor_config\.json|model.*\.safetensors)$/;

/** Hash of what decides a checkpoint's answers: weights, config, tokenizer, image processor. */
export async function hashCheckpoint(folder: string): Promise<string> {
  const hash = createHash('sha256');
  for (const name of readdirSync(folder)
    .filter((file) => HASHED.test(file))
    .sort()) {
    hash.update(name);
    await pipeline(createReadStream(join(folder, name)), hash, { end: false });
  }
  return hash.digest('hex');
}
