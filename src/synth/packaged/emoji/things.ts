// Single things to show: base emoji of the style OpenMoji, which no training set of ours uses.

import { EMOJI_STYLES, listEmoji } from '../../../sample/corpus/emoji.ts';
import { encodeSprite, renderSprite, type Sprite } from '../../../sample/corpus/emoji-render.ts';
import type { Picture } from '../../../sample/corpus/picture.ts';

const STYLE = 'openmoji';
export const EMOJI_PACKAGES: readonly string[] = [STYLE, 'emojibase-data'];

export interface Thing {
  readonly group: string;
  readonly label: string;
  /** Things of one kind look alike: `face smiling`. */
  readonly kind: string;
  load(): Promise<Uint8Array>;
}

/** Signs and flags look alike or stand for names. */
const LEFT_OUT = ['component', 'symbols', 'flags'];

/** By their uid, each label once. @throws OneVisionError 'data' when a package is not here */
export function readThings(): Thing[] {
  const style = EMOJI_STYLES.find(({ package: name }) => name === STYLE);
  if (style === undefined) throw new RangeError('expected the style openmoji');
  const known = new Set<string>();
  return listEmoji(style)
    .filter(({ meta }) => !LEFT_OUT.includes(String(meta['emojiGroup'])))
    .toSorted((a, b) => (a.uid < b.uid ? -1 : 1))
    .flatMap((picture: Picture) => {
      const { label, group, meta, load } = picture;
      if (known.has(label)) return [];
      known.add(label);
      return [{ group, label, kind: String(meta['emojiSubgroup']), load }];
    });
}

/** left, top, right, bottom in pixels. */
export type InkBox = readonly [number, number, number, number];

/** What of a sprite is seen; the whole of one that is empty. */
export function inkBox({ width, height, data }: Sprite): InkBox {
  let [left, top, right, bottom] = [width, height, 0, 0];
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      if ((data[4 * (y * width + x) + 3] ?? 0) < 32) continue;
      [left, right] = [Math.min(left, x), Math.max(right, x + 1)];
      [top, bottom] = [Math.min(top, y), Math.max(bottom, y + 1)];
    }
  }
  return left < right ? [left, top, right, bottom] : [0, 0, width, height];
}

/** Lays sprites on a square of one colour. @returns PNG */
export async function pasteAll(
  side: number,
  background: readonly [number, number, number],
  sprites: readonly { readonly sprite: Sprite; readonly left: number; readonly top: number }[],
): Promise<Uint8Array> {
  const data = new Uint8Array(4 * side * side);
  for (let at = 0; at < data.length; at++) data[at] = [...background, 255][at % 4] ?? 0;
  for (const { sprite, left, top } of sprites) {
    for (let y = 0; y < sprite.height; y++) {
      for (let x = 0; x < sprite.width; x++) {
        const from = 4 * (y * sprite.width + x);
        const to = 4 * ((top + y) * side + left + x);
        const alpha = (sprite.data[from + 3] ?? 0) / 255;
        for (let c = 0; c < 3; c++) {
          const under = data[to + c] ?? 0;
          data[to + c] = Math.round(under + alpha * ((sprite.data[from + c] ?? 0) - under));
        }
      }
    }
  }
  return encodeSprite({ width: side, height: side, data });
}

export { renderSprite };
