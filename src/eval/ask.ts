// Asks a model a window of items: fills in prompts, prepares, batches, scores. Keeps no files.
import { OneVisionError } from '../core/errors.ts';
import { mapConcurrent } from '../core/pool.ts';
import type { Message } from '../sample/sample.ts';
import { runBatched } from './batching.ts';
import type { Benchmark, ChoiceScorer, ChoiceTerm, ExactScorer } from './benchmark.ts';
import type { EvalModel, Prepared, ReplyScore } from './eval-model.ts';
import type { EvalItem } from './items.ts';
import type { ItemResult, Verdict } from './outcome.ts';
import { meanProbability, type References } from './references.ts';
import { optionLoss, scoreChoice } from './scorers/choice.ts';
import { scoreExact } from './scorers/exact.ts';

const PREPARE_AT_ONCE = 8;

/**
 * The results of some items. An item whose picture or text cannot be used is `skipped` with its
 * reason; every other failure is thrown.
 */
export async function askItems<P extends Prepared>(
  model: EvalModel<P>,
  { scorer }: Benchmark,
  items: readonly EvalItem[],
  references: References,
): Promise<ItemResult[]> {
  return scorer.kind === 'choice'
    ? askChoice(model, scorer, items, references)
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

/** One log-probability that is wanted: the mean over its requests, or found by its key. */
interface Wanted<P> {
  /** Set where other pictures are shown: the answer does not depend on the item's own. */
  readonly key: string | undefined;
  /** Empty where other requests with this key are on their way or done. */
  readonly requests: readonly P[];
}

async function askChoice<P extends Prepared>(
  model: EvalModel<P>,
  { terms }: ChoiceScorer,
  items: readonly EvalItem[],
  references: References,
): Promise<ItemResult[]> {
  const asked = new Set(references.scores.keys());
  const prepare = (item: EvalItem, option: string, term: ChoiceTerm): Promise<Wanted<P>> =>
    prepareTerm(model, references, asked, item, option, term);
  const plans = await prepareAll(items, async (item) => {
    const wanted: Wanted<P>[] = [];
    for (const option of item.options ?? []) {
      for (const term of terms) wanted.push(await prepare(item, option, term));
    }
    return wanted;
  });
  const all = plans.flatMap((plan) => (plan instanceof OneVisionError ? [] : plan));
  const requests = all.flatMap((wanted) => wanted.requests);
  const scores = await runBatched(requests, model.maxBatchTokens, (batch) => model.score(batch));
  const byRequest = new Map(requests.map((request, index) => [request, scores[index]]));
  const scoreOf = (wanted: Wanted<P>): ReplyScore | undefined =>
    meanProbability(wanted.requests.flatMap((request) => byRequest.get(request) ?? []));
  for (const wanted of all) {
    const score = wanted.key === undefined ? undefined : scoreOf(wanted);
    if (score !== undefined) references.scores.set(wanted.key ?? '', score);
  }
  return plans.map((plan, index) => {
    const item = items[index] as EvalItem;
    if (plan instanceof OneVisionError) return skipped(item, plan);
    const found = plan.map((wanted) =>
      wanted.key === undefined ? scoreOf(wanted) : references.scores.get(wanted.key),
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
  { pictures }: References,
  asked: Set<string>,
  item: EvalItem,
  option: string,
  term: ChoiceTerm,
): Promise<Wanted<P>> {
  const reply: Message = { role: 'assistant', content: fill(term.reply, item, option) };
  const messages = [...item.context, user(fill(term.prompt, item, option)), reply];
  const ask = (images: EvalItem['images']): Promise<P> =>
    model.prepare({ messages, images }, 'score');
  if (term.pictures === 'own') return { key: undefined, requests: [await ask(item.images)] };
  const key = JSON.stringify(messages);
  if (asked.has(key)) return { key, requests: [] };
  asked.add(key);
  return { key, requests: await Promise.all(pictures.map(ask)) };
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
