// What one answer to everything would score: the level below which a score says nothing. Pure.

/** An answer that is always given, and what it scores. */
export interface ConstantAnswer {
  readonly answer: string;
  readonly score: number;
}

/** So many of the most frequent answers are tried. */
const NUM_TRIED = 100;

/**
 * The best of the most frequent answers, each given to every item; the more frequent one of equals.
 * @param golds the answer of each item
 * @param scoreOf the score when this answer is given to all
 */
export function bestConstant(
  golds: readonly string[],
  scoreOf: (answer: string) => number,
): ConstantAnswer | undefined {
  const counts = new Map<string, number>();
  for (const gold of golds) counts.set(gold, (counts.get(gold) ?? 0) + 1);
  const tried = [...counts].sort(([, a], [, b]) => b - a).slice(0, NUM_TRIED);
  let best: ConstantAnswer | undefined;
  for (const [answer] of tried) {
    const score = scoreOf(answer);
    if (best === undefined || score > best.score) best = { answer, score };
  }
  return best;
}
