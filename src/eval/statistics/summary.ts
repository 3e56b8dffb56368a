// From the results of all items to one score with its interval and outcomes. Pure.

import type { Benchmark, ExactScorer } from '../benchmark.ts';
import { type CaptionScores, countOutcomes, type ItemResult, type Summary } from '../outcome.ts';
import { bleu4 } from '../scorers/captions/bleu.ts';
import { ciderD } from '../scorers/captions/cider.ts';
import { captionWords } from '../scorers/captions/ngrams.ts';
import { scoreExact } from '../scorers/exact.ts';
import { type ConceptCounts, scoreBands } from './bands.ts';
import { bestConstant } from './constant.ts';
import { bootstrapInterval, wilsonInterval } from './intervals.ts';

export interface SummaryContext {
  readonly identity: string;
  /** Hash of the asking alone. */
  readonly asked: string;
  readonly warnings: readonly string[];
}

/**
 * The score of a benchmark: correct ÷ all items, whatever their outcome. The 95 % interval is
 * Wilson's where items are independent, else a bootstrap over their groups.
 *
 * @param concepts concept → training samples; without it there are no bands
 */
export function summarise(
  benchmark: Benchmark,
  { identity, asked, warnings }: SummaryContext,
  results: readonly ItemResult[],
  concepts?: ConceptCounts,
): Summary {
  const { name, title, scorer, clusters, chance, baseline } = benchmark;
  const outcomes = countOutcomes(results);
  const marks = results.map((result) => (result.outcome === 'correct' ? 1 : 0));
  const groups = results.map((result) => result.group);
  const hasConcepts = results.some((result) => result.concept !== undefined);
  const scored = results.map(({ concept, outcome }) => ({
    concept,
    correct: outcome === 'correct',
  }));
  return {
    format: 'onevision-eval/1',
    benchmark: name,
    title,
    identity,
    asked,
    scorer: nameOf(scorer),
    items: results.length,
    correct: outcomes.correct,
    accuracy: results.length === 0 ? 0 : outcomes.correct / results.length,
    interval:
      clusters === 'group'
        ? bootstrapInterval(marks, groups)
        : wilsonInterval(outcomes.correct, results.length),
    intervalMethod: clusters === 'group' ? 'cluster-bootstrap' : 'wilson',
    chance,
    outcomes,
    bands: concepts !== undefined && hasConcepts ? scoreBands(scored, concepts) : undefined,
    ...(scorer.kind === 'exact' && scorer.captions === true
      ? { captions: captionScores(results) }
      : {}),
    ...(scorer.kind === 'exact' && baseline === 'constant' ? constantOf(scorer, results) : {}),
    ...(warnings.length > 0 ? { warnings } : {}),
  };
}

function nameOf(scorer: Benchmark['scorer']): string {
  if (scorer.kind === 'choice') return `choice by ${scorer.rule}`;
  return scorer.kind === 'exact' ? `exact ${scorer.normaliser}` : scorer.scoring;
}

/** One reference a picture: its label. */
function captionScores(
  results: readonly Pick<ItemResult, 'prediction' | 'answer'>[],
): CaptionScores {
  const pairs = results.map(({ prediction, answer }) => ({
    candidate: captionWords(prediction),
    references: [captionWords(answer)],
  }));
  return { bleu4: bleu4(pairs), cider: ciderD(pairs) };
}

/** What the best constant answer scores; of captions the one with the highest CIDEr. */
function constantOf(scorer: ExactScorer, results: readonly ItemResult[]): Partial<Summary> {
  const golds = results.map(({ answer }) => answer);
  const shareOf = (text: string): number => {
    const isRight = (gold: string): boolean =>
      scoreExact(scorer, gold, { text, truncated: false }).outcome === 'correct';
    return golds.filter(isRight).length / golds.length;
  };
  const captionsOf = (text: string): CaptionScores =>
    captionScores(golds.map((answer) => ({ prediction: text, answer })));
  const isCaptions = scorer.captions === true;
  const best = bestConstant(golds, isCaptions ? (text) => captionsOf(text).cider : shareOf);
  if (best === undefined) return {};
  const { answer } = best;
  return {
    chance: shareOf(answer),
    constantAnswers: { '': answer },
    ...(isCaptions ? { constantCaptions: captionsOf(answer) } : {}),
  };
}
