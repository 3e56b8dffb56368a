// Asks a model a window of items: fills in prompts, prepares, batches, scores. Keeps no files.
import { OneVisionError } from '../core/errors.ts';
import { mapConcurrent } from '../core/pool.ts';
import type { Message } from '../sample/sample.ts';
import { runBatched } from './batching.ts';
import type { Benchmark, ChoiceScorer, ChoiceTerm, ExactScorer } from './benchmark.ts';
import { blankPictures } from './blank.ts';
import type { EvalModel, Prepared, ReplyScore } from './eval-model.ts';
import type { EvalItem } from './items.ts';
import type { ItemResult, Verdict } from './outcome.ts';
import { optionLoss, scoreChoice } from './scorers/choice.ts';
import { scoreExact } from './scorers/exact.ts';

/** Scores under white pictures: the same for every item with that question and option. */
export type BlankScores = Map<string, ReplyScore>;

const PREPARE_AT_ONCE = 8;

/**
 * The results of some items. An item whose picture or text cannot be used is `skipped` with its
 * reason; every other failure is thrown.
 */
export async function askItems<P extends Prepared>(
  model: EvalModel<P>,
  { scorer }: Benchmark,
  items: readonly EvalItem[],
  blanks: BlankScores,
): Promise<ItemResult[]> {
  return scorer.kind === 'choice'
    ? askChoice(model, scorer, items, blanks)
    : askExact(model, scorer, items);
}

async function askExact<P extends Prepared>(
  model: EvalModel<P>,
  scorer: ExactScorer,
  items: readonly EvalItem[],
): Promise<ItemResult[]> {
  const prepared = await prepareAll(items, (item) => {
    const messages = [...item.context, user(fill(scorer.prompt, item, ''))];
    return model.prepare({ messages, images: item.images }, 'generate');
  });
  const usable = prepared.flatMap((entry) => (entry instanceof OneVisionError ? [] : [entry]));
  const replies = await runBatched(usable, model.maxBatchTokens, (batch) =>
    model.generate(batch, scorer.decoding),
  );
  let next = 0;
  return prepared.map((entry, index) => {
    const item = items[index] as EvalItem;
    if (entry instanceof OneVisionError) return skipped(item, entry);
    const reply = replies[next++] ?? { text: '', truncated: false };
    return result(item, scoreExact(scorer, item.answer, reply));
  });
}

/** One log-probability that is wanted: asked by a request of its own, or found by its key. */
interface Wanted<P> {
  /** Set where the picture is white: the answer then does not depend on the item's pixels. */
  readonly key: string | undefined;
  /** Absent where another request with this key is on its way or done. */
  readonly request: P | undefined;
}

async function askChoice<P extends Prepared>(
  model: EvalModel<P>,
  { terms }: ChoiceScorer,
  items: readonly EvalItem[],
  blanks: BlankScores,
): Promise<ItemResult[]> {
  const asked = new Set(blanks.keys());
  const plans = await prepareAll(items, async (item) => {
    const wanted: Wanted<P>[] = [];
    for (const option of item.options ?? []) {
      for (const term of terms) wanted.push(await prepareTerm(model, item, option, term, asked));
    }
    return wanted;
  });
  const all = plans.flatMap((plan) => (plan instanceof OneVisionError ? [] : plan));
  const requests = all.flatMap(({ request }) => (request === undefined ? [] : [request]));
  const scores = await runBatched(requests, model.maxBatchTokens, (batch) => model.score(batch));
  const byRequest = new Map(requests.map((request, index) => [request, scores[index]]));
  for (const { key, request } of all) {
    const score = request && byRequest.get(request);
    if (key !== undefined && score !== undefined) blanks.set(key, score);
  }
  return plans.map((plan, index) => {
    const item = items[index] as EvalItem;
    if (plan instanceof OneVisionError) return skipped(item, plan);
    const found = plan.map(({ key, request }) =>
      request === undefined ? blanks.get(key ?? '') : byRequest.get(request),
    );
    const options = item.options ?? [];
    const losses = options.map((_, place) =>
      optionLoss(terms, found.slice(place * terms.length, (place + 1) * terms.length)),
    );
    return result(item, scoreChoice(options, item.answer, losses));
  });
}

async function prepareTerm<P extends Prepared>(
  model: EvalModel<P>,
  item: EvalItem,
  option: string,
  term: ChoiceTerm,
  asked: Set<string>,
): Promise<Wanted<P>> {
  const reply: Message = { role: 'assistant', content: fill(term.reply, item, option) };
  const messages = [...item.context, user(fill(term.prompt, item, option)), reply];
  if (!term.blank) {
    const request = await model.prepare({ messages, images: item.images }, 'score');
    return { key: undefined, request };
  }
  const images = await blankPictures(item.images);
  const key = JSON.stringify([messages, images.map((image) => image.name)]);
  if (asked.has(key)) return { key, request: undefined };
  asked.add(key);
  return { key, request: await model.prepare({ messages, images }, 'score') };
}

function fill(template: string, { question }: EvalItem, option: string): string {
  return template.replace(/\{(question|option)\}/g, (_, name) =>
    name === 'question' ? question : option,
  );
}

function user(content: string): Message {
  return { role: 'user', content };
}

/** Prepares several items at once; an item that fails with `data` becomes that error. */
async function prepareAll<T>(
  items: readonly EvalItem[],
  prepare: (item: EvalItem) => Promise<T>,
): Promise<(T | OneVisionError)[]> {
  const guarded = async (item: EvalItem): Promise<T | OneVisionError> => {
    try {
      return await prepare(item);
    } catch (error) {
      if (error instanceof OneVisionError && error.code === 'data') return error;
      throw error;
    }
  };
  return Array.fromAsync(mapConcurrent(items, PREPARE_AT_ONCE, guarded));
}

function result(item: EvalItem, verdict: Verdict): ItemResult {
  const { uid, group, concept, question, answer, options } = item;
  return { uid, group, concept, question, answer, options, ...verdict };
}

function skipped(item: EvalItem, error: OneVisionError): ItemResult {
  return { ...result(item, { outcome: 'skipped', prediction: '' }), reason: error.message };
}
