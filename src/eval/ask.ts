// Asks a model some items: fills in prompts, prepares, batches, has it reply. Keeps no files.
import { OneVisionError } from '../core/errors.ts';
import { sha256Hex } from '../core/hash.ts';
import { mapConcurrent } from '../core/pool.ts';
import type { Message } from '../sample/sample.ts';
import type { Benchmark, ChoiceScorer, ChoiceTerm, ExactScorer, ReplyScorer } from './benchmark.ts';
import type { EvalModel, Reply, ReplyScore } from './eval-model.ts';
import type { EvalItem } from './items.ts';
import type { ItemResult, Verdict } from './outcome.ts';
import { meanProbability, type References } from './references.ts';
import { optionLoss, scoreChoice } from './scorers/choice.ts';
import { scoreExact } from './scorers/exact.ts';

const PREPARE_AT_ONCE = 8;

/**
 * Asks some items; each result is handed out as soon as it is known, in any order. An item whose
 * picture or text cannot be used is `skipped` with its reason, one without a reply is a
 * `model-error`; every other failure is thrown.
 */
export async function askItems<P>(
  model: EvalModel<P>,
  { scorer }: Benchmark,
  items: readonly EvalItem[],
  references: References,
  onResult: (result: ItemResult) => void,
): Promise<void> {
  if (scorer.kind === 'choice') {
    for (const one of await askChoice(model, scorer, items, references)) onResult(one);
    return;
  }
  const usable: { readonly item: EvalItem; readonly request: P }[] = [];
  const prepared = await prepareAll(items, (item) => prepareQuestion(model, scorer, item));
  prepared.forEach((entry, index) => {
    const item = items[index] as EvalItem;
    if (entry instanceof OneVisionError) onResult(skipped(item, entry));
    else usable.push({ item, request: entry });
  });
  const requests = usable.map(({ request }) => request);
  await model.write(requests, scorer.decoding, (index, reply) => {
    const { item } = usable[index] as { item: EvalItem };
    onResult(replied(item, scorer, reply));
  });
}

async function prepareQuestion<P>(
  model: EvalModel<P>,
  scorer: ExactScorer | ReplyScorer,
  item: EvalItem,
): Promise<P> {
  const { uid, fault, images } = item;
  if (fault !== undefined) throw new OneVisionError('data', `Item ${uid}: ${fault}.`);
  const question = scorer.kind === 'exact' ? fill(scorer.prompt, item, '') : item.question;
  const messages = [...item.context, user(question)];
  return await model.prepare({ uid, messages, images }, 'generate');
}

function replied(item: EvalItem, scorer: ExactScorer | ReplyScorer, reply: Reply): ItemResult {
  const prediction = reply.text;
  if (scorer.kind === 'reply') return result(item, { outcome: 'unparsed', prediction }, reply);
  if (reply.failure !== undefined) {
    return result(item, { outcome: 'model-error', prediction }, reply);
  }
  if (reply.refused === true) return result(item, { outcome: 'refused', prediction });
  return result(item, scoreExact(scorer, item.answer, reply));
}

/** One log-probability that is wanted: the mean over its requests, or found by its key. */
interface Wanted<P> {
  /** Set where other pictures are shown: the answer does not depend on the item's own. */
  readonly key: string | undefined;
  /** Empty where other requests with this key are on their way or done. */
  readonly requests: readonly P[];
}

async function askChoice<P>(
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
  const scores = await model.score(requests);
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

async function prepareTerm<P>(
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
    model.prepare({ uid: item.uid, messages, images }, 'score');
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

function result(item: EvalItem, verdict: Verdict, reply?: Reply): ItemResult {
  const { uid, group, concept, question, answer, options, scored } = item;
  const { prediction, outcome, losses } = verdict;
  const { truncated = false, refused, failure: reason } = reply ?? {};
  // Keys in the order of the schema: a row that was read back is written as it was.
  const base = { uid, group, concept, question, answer, options, prediction, outcome, losses };
  if (scored === undefined) return { ...base, reason };
  const stored = { truncated, refused, failure: reason, item: scored };
  return { ...base, reason, reply: { ...stored, request: requestHash(item) } };
}

function requestHash({ context, question, images }: EvalItem): string {
  const pictures = images.map(({ bytes }) => sha256Hex(bytes));
  return sha256Hex(JSON.stringify([context, question, pictures])).slice(0, 16);
}

function skipped(item: EvalItem, error: OneVisionError): ItemResult {
  return { ...result(item, { outcome: 'skipped', prediction: '' }), reason: error.message };
}
