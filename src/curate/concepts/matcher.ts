// What finds the concepts of samples, and the one that needs no model: by the words of the caption.
import { repliesOf, type Sample } from '../../sample/sample.ts';
import { statedLanguage } from '../survey/languages.ts';
import type { ConceptList } from './concept-list.ts';

/** Concept ids, or why a sample cannot be matched. */
export type Matched = ArrayLike<number> | string;

/** Finds the concepts of samples: by their text, or by an embedder of their pictures. */
export interface ConceptMatcher {
  /** For each sample. */
  match(samples: readonly Sample[]): Promise<readonly Matched[]>;
}

/** Looks for names in the caption; in its language alone where the sample says which that is. */
export function captionMatcher(list: ConceptList): ConceptMatcher {
  return {
    match: (samples) =>
      Promise.resolve(
        samples.map((sample) => {
          const matcher = list.matcherFor(statedLanguage(sample) ?? '');
          return matcher.match(repliesOf(sample).join('\n')).slice();
        }),
      ),
  };
}
