// Our own engine as a model under evaluation. The forward itself is in src/model.
import { createHash } from 'node:crypto';
import { createReadStream, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { hashUint32 } from '../core/hash.ts';
import { type Patches, processImage } from '../image/patchify.ts';
import type { OneVision } from '../model/onevision.ts';
import type { Processor } from '../model/processor.ts';
import { scoreSegments } from '../model/score.ts';
import { encodeChat, NO_TARGET } from '../text/chat-template.ts';
import { encodeReplyPrompt } from '../text/jinja-template.ts';
import type { EvalModel } from './eval-model.ts';
import { type PreparedSegment, writeReplies } from './models/write-replies.ts';

export interface LocalModelOptions {
  /** Hash of the weights; see `hashCheckpoint`. */
  readonly identity: string;
  /** Default 2048: about a hundred short questions at once. */
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
    maxBatchTokens,
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
        return { segment: { inputIds, images: patches }, numTokens: inputIds.length, draw };
      }
      const { ids, targets } = encodeChat(tokenizer, messages, counts);
      const segment = { inputIds: ids, targets: lastReply(targets), images: patches };
      return { segment, numTokens: ids.length, draw };
    },
    async score(batch) {
      const segments = batch.map(({ segment }) => segment);
      return scoreSegments(model, segments).map(({ sum, numTargets }) => {
        return { sumLogProb: sum, numTokens: numTargets };
      });
    },
    write: (requests, decoding, onReply) =>
      writeReplies(model, tokenizer, { requests, decoding, maxBatchTokens, onReply }),
  };
}

/** Only the targets of the last reply: [tokens]. */
function lastReply(targets: Int32Array): Int32Array {
  const end = targets.findLastIndex((target) => target !== NO_TARGET);
  const start = targets.subarray(0, end + 1).lastIndexOf(NO_TARGET) + 1;
  return targets.map((target, index) => (index >= start ? target : NO_TARGET));
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
