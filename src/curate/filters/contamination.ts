// Drops what evaluation will ask: pictures of evaluation sets, and texts that share words with them.
import type { EvaluationIndex } from '../survey/evaluation-index.ts';
import { atMost, type Filter } from './filter.ts';

/** Score: 256 less the bits in which the picture differs from the nearest evaluation picture. */
export function contaminatedImage(index: EvaluationIndex | null, maxHamming: number): Filter {
  const most = 255 - maxHamming;
  return atMost('contaminated-image', most, ({ look }) => {
    if (index === null || look === null || look.hash === null) return null;
    const distance = index.nearestImage(look.hash);
    return distance === null ? 0 : 256 - distance;
  });
}

/** Score: runs of 13 words that also occur in an evaluation text. */
export function contaminatedText(index: EvaluationIndex | null): Filter {
  return atMost('contaminated-text', 0, ({ conversation }) =>
    index === null ? null : index.sharedRuns(conversation),
  );
}
