// Many replies by our own engine: prompts join as soon as others are finished, long ones first, so that
// the cache stays full to the end. A reply is handed out the moment it is finished.

import type { Segment } from '../../model/batch.ts';
import { Generation, type Reply as Written } from '../../model/generation/generation.ts';
import type { OneVision } from '../../model/onevision.ts';
import { TextStream } from '../../text/text-stream.ts';
import type { Tokenizer } from '../../text/tokenizer.ts';
import type { Decoding, Reply } from '../eval-model.ts';

/** A prompt, and what is wanted of it. */
export interface PreparedSegment {
  readonly segment: Segment;
  /** What is to be scored after it. */
  readonly reply?: Int32Array;
  /** Decides the random draws of its reply. */
  readonly draw: number;
}

export interface WriteOptions {
  readonly requests: readonly PreparedSegment[];
  readonly decoding: Decoding;
  /** Tokens of prompts and replies in the cache at once; a longer prompt is alone. */
  readonly maxBatchTokens: number;
  readonly onReply: (index: number, reply: Reply) => void;
}

/** A request on its way. */
interface Running {
  readonly index: number;
  readonly stream: TextStream;
  readonly written: Written;
}

/** New prompts are read together when this part of the room is free: a prefill of one is dear. */
const ROOM_TO_ADMIT = 0.25;

export async function writeReplies(
  model: OneVision,
  tokenizer: Tokenizer,
  { requests, decoding, maxBatchTokens, onReply }: WriteOptions,
): Promise<void> {
  const lengthOf = (index: number): number => requests[index]?.segment.inputIds.length ?? 0;
  const waiting = requests.map((_, index) => index);
  waiting.sort((a, b) => lengthOf(b) - lengthOf(a) || a - b);
  using generation = new Generation(model);
  let running: Running[] = [];
  const used = (): number =>
    running.reduce((sum, { index, written }) => sum + lengthOf(index) + written.ids.length, 0);
  while (waiting.length > 0 || running.length > 0) {
    const room = maxBatchTokens - used();
    if (running.length === 0 || room >= ROOM_TO_ADMIT * maxBatchTokens) {
      const admitted = takeUpTo(waiting, lengthOf, room, running.length === 0);
      running.push(...start(generation, tokenizer, admitted, requests, decoding));
    }
    running = handOut(running, onReply);
    if (running.length === 0) continue;
    generation.step();
    running = handOut(running, onReply);
    await breathe();
  }
}

/** The first waiting ones that fit together; at least one where nothing else is running. */
function takeUpTo(
  waiting: number[],
  lengthOf: (index: number) => number,
  room: number,
  atLeastOne: boolean,
): number[] {
  let sum = 0;
  let count = 0;
  while (count < waiting.length) {
    sum += lengthOf(waiting[count] as number);
    if (sum > room && !(count === 0 && atLeastOne)) break;
    count += 1;
  }
  return waiting.splice(0, count);
}

function start(
  generation: Generation,
  tokenizer: Tokenizer,
  admitted: readonly number[],
  requests: readonly PreparedSegment[],
  { maxNewTokens, temperature, topP = 1, until = [] }: Decoding,
): Running[] {
  const streams = admitted.map(() => new TextStream(tokenizer, until));
  const replies = generation.add(
    admitted.map((index) => (requests[index] as PreparedSegment).segment),
    admitted.map((index, place) => ({
      maxNewTokens,
      temperature,
      topP,
      prompt: requests[index]?.draw ?? 0,
      onToken: (_: number, id: number) => {
        const stream = streams[place] as TextStream;
        stream.push(id);
        return stream.isStopped;
      },
    })),
  );
  return admitted.map((index, place) => ({
    index,
    stream: streams[place] as TextStream,
    written: replies[place] as Written,
  }));
}

function handOut(running: readonly Running[], onReply: WriteOptions['onReply']): Running[] {
  return running.filter(({ index, stream, written: { finish } }) => {
    if (finish === undefined) return true;
    stream.end();
    onReply(index, { text: stream.text, truncated: finish === 'length' });
    return false;
  });
}

/** Signals and timers get their turn between two steps. */
function breathe(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
