// Drops pictures that an agency has stamped: by the words of their captions, and by a pattern that
// comes again over the whole picture.
import { atMost, type Filter } from '../filter.ts';

const AGENCIES =
  /\b(?:shutterstock|alamy|getty ?images|istock(?:photo)?|dreamstime|depositphotos|123rf|adobe ?stock|bigstock|canstock|fotolia|watermark(?:ed)?|stock (?:photo|image|vector|illustration)s?)\b/i;

/**
 * Score, 0–1: 1 when the caption names an agency or a watermark, else how strongly the fine
 * structure of the picture repeats itself at one distance. Wallpaper and bricks repeat too.
 */
export function watermark(max: number): Filter {
  return atMost('watermark', max, ({ caption, look }) =>
    AGENCIES.test(caption) ? 1 : (look?.tiling ?? null),
  );
}
