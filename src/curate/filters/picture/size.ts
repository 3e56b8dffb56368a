// Drops images that are too small or too long to show anything.
import { atLeast, atMost, type Filter } from '../filter.ts';

/** Score: the shorter side in pixels. */
export function tooSmall(minSide: number): Filter {
  return atLeast('too-small', minSide, ({ look }) =>
    look === null ? null : Math.min(look.width, look.height),
  );
}

/** Score: longer side divided by shorter side. */
export function tooLong(maxRatio: number): Filter {
  return atMost('too-long', maxRatio, ({ look }) =>
    look === null
      ? null
      : Math.max(look.width, look.height) / Math.max(1, Math.min(look.width, look.height)),
  );
}
