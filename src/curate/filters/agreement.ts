// Drops images that do not show what their caption says, by an embedder of images and texts.
import { atLeast, type Filter } from './filter.ts';

/** Score: cosine of image and caption; null without an embedder. */
export function agreement(minCosine: number): Filter {
  return atLeast('agreement', minCosine, (facts) => facts.agreement);
}
