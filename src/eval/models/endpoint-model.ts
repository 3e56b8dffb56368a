// A model behind an OpenAI-compatible endpoint as a model under evaluation. Its answers are kept by what
// was asked, so a run that was killed asks and pays for nothing twice.
import { OneVisionError } from '../../core/errors.ts';
import { hashUint32, sha256Hex } from '../../core/hash.ts';
import type { Answer } from '../../endpoint/answers.ts';
import { openCache, requestKey } from '../../endpoint/answers.ts';
import { type EndpointMessage, RequestFailure } from '../../endpoint/chat.ts';
import { createSender, type Endpoint, type SenderFigures } from '../../endpoint/sender.ts';
import type { Message, SampleImage } from '../../sample/sample.ts';
import type { Decoding, EvalModel, Reply } from '../eval-model.ts';
import { pictureAddress } from './picture-address.ts';

export interface EndpointOptions extends Endpoint {
  /** File of answers. */
  readonly cache: string;
}

export interface PreparedQuestion {
  readonly uid: string;
  readonly messages: readonly Message[];
  readonly images: readonly SampleImage[];
  /** Addresses are made when a request is really sent. */
  readonly imageHashes: readonly string[];
}

export interface EndpointModel extends EvalModel<PreparedQuestion> {
  readonly figures: SenderFigures;
  [Symbol.dispose](): void;
}

/** What the protocol takes. */
const MAX_STOPS = 4;
/** So many in a row without an answer: the endpoint is down. */
const MAX_FAILURES_IN_A_ROW = 20;

export function endpointModel(options: EndpointOptions): EndpointModel {
  const { url, model } = options;
  const cache = openCache(options.cache);
  const { obtain, figures } = createSender(options, cache);
  const identity = requestKey('endpoint', url, model);
  const ask = async (question: PreparedQuestion, decoding: Decoding): Promise<Reply> => {
    const { uid, messages, imageHashes } = question;
    const { maxNewTokens, temperature, topP, until } = decoding;
    const seed = hashUint32('reply', uid) >>> 1;
    const what = JSON.stringify([messages, imageHashes, decoding, seed]);
    const answer = await obtain(requestKey('eval/1', model, what), async () => ({
      messages: await withPictures(question),
      maxTokens: maxNewTokens,
      temperature,
      topP,
      stop: until,
      seed,
    }));
    return toReply(answer, maxNewTokens);
  };
  return {
    identity,
    figures,
    cannot: (wanted) => cannot(wanted),
    async prepare({ uid, messages, images }) {
      // A broken picture is a fault of the item; found here, the endpoint is not asked about it.
      await Promise.all(images.map(({ bytes }) => pictureAddress(bytes)));
      const imageHashes = images.map(({ bytes }) => sha256Hex(bytes));
      return { uid, messages, images, imageHashes };
    },
    score: () =>
      Promise.reject(new OneVisionError('usage', 'An endpoint scores no given replies.')),
    write: (requests, decoding, onReply) => writeAll(requests, decoding, onReply, ask, url),
    [Symbol.dispose]: () => cache.close(),
  };
}

function cannot(wanted: Decoding | 'score'): string | undefined {
  if (wanted === 'score') return 'an endpoint tells no likelihood of a given reply';
  const stops = wanted.until?.length ?? 0;
  return stops > MAX_STOPS ? `an endpoint takes ${MAX_STOPS} stop texts, not ${stops}` : undefined;
}

/** All at once; the sender's gate decides how many are really under way. */
async function writeAll(
  requests: readonly PreparedQuestion[],
  decoding: Decoding,
  onReply: (index: number, reply: Reply) => void,
  ask: (question: PreparedQuestion, decoding: Decoding) => Promise<Reply>,
  url: string,
): Promise<void> {
  let failuresInARow = 0;
  let last = '';
  const one = async (question: PreparedQuestion, index: number): Promise<void> => {
    if (failuresInARow >= MAX_FAILURES_IN_A_ROW) return;
    try {
      const reply = await ask(question, decoding);
      failuresInARow = 0;
      onReply(index, reply);
    } catch (error) {
      if (!(error instanceof RequestFailure)) throw error;
      if (error.kind !== 'refused') failuresInARow += 1;
      last = error.message;
      onReply(index, { text: '', truncated: false, failure: error.message });
    }
  };
  const results = await Promise.allSettled(requests.map(one));
  const failed = results.find((result) => result.status === 'rejected');
  if (failed !== undefined) throw failed.reason;
  if (failuresInARow < MAX_FAILURES_IN_A_ROW) return;
  throw new OneVisionError(
    'data',
    `Expected answers from ${url}, got none ${MAX_FAILURES_IN_A_ROW} times in a row; last: ${last}.`,
    { hint: 'when the endpoint is up again run the same command: what was answered is kept' },
  );
}

function toReply({ text, finish, completionTokens }: Answer, maxNewTokens: number): Reply {
  if (completionTokens > maxNewTokens) {
    const failure = `the endpoint wrote ${completionTokens} tokens where ${maxNewTokens} are allowed`;
    return { text: '', truncated: false, failure };
  }
  return { text, truncated: finish === 'length', refused: finish === 'content_filter' };
}

/** Each `<image>` of a message becomes its picture, in order. */
async function withPictures({
  messages,
  images,
}: PreparedQuestion): Promise<readonly EndpointMessage[]> {
  const addresses = await Promise.all(images.map(({ bytes }) => pictureAddress(bytes)));
  let next = 0;
  return messages.map(({ role, content }) => {
    if (!content.includes('<image>')) return { role, content };
    const parts = content.split(/(<image>)/).filter((part) => part !== '');
    return {
      role,
      content: parts.map((part) =>
        part === '<image>'
          ? { type: 'image_url' as const, image_url: { url: addresses[next++] ?? '' } }
          : { type: 'text' as const, text: part },
      ),
    };
  });
}
