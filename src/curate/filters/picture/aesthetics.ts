// Drops pictures that are poor by simple measures of their pixels. No model: it knows mud from a
// picture, not a good picture from a better one.
import { atLeast, type Filter } from '../filter.ts';

/** Hasler and Süsstrunk (2003) call a colourfulness of 59 "quite colourful". */
const COLOURFUL = 59;
/** Bits of a grey histogram of 64 classes. */
const MAX_ENTROPY = 6;
/** Share of pixels on an edge at which a picture has all the detail it needs. */
const DETAILED = 0.15;

/** Score, 0–1: mean of tone (entropy), colour and detail, each against what is plenty. */
export function aesthetics(min: number): Filter {
  return atLeast('aesthetics', min, ({ look }) => {
    if (look === null) return null;
    const tone = Math.min(1, look.entropy / MAX_ENTROPY);
    const colour = Math.min(1, look.colourfulness / COLOURFUL);
    const detail = Math.min(1, look.edges / DETAILED);
    return (tone + colour + detail) / 3;
  });
}
