// Pictures of shapes and words: shapes as SVG, words set in fonts of a package, so that a picture has
// the same pixels whatever fonts a machine has.
import { join } from 'node:path';
import sharp from 'sharp';
import { packageFolder } from '../../sample/corpus/packages.ts';

/** Name of a font → its file in the package `dejavu-fonts-ttf`. */
export const FONTS = {
  'DejaVu Sans': 'DejaVuSans.ttf',
  'DejaVu Sans Bold': 'DejaVuSans-Bold.ttf',
  'DejaVu Serif': 'DejaVuSerif.ttf',
  'DejaVu Serif Italic': 'DejaVuSerif-Italic.ttf',
  'DejaVu Sans Mono': 'DejaVuSansMono.ttf',
  'DejaVu Sans Condensed': 'DejaVuSansCondensed.ttf',
} as const;
export type FontName = keyof typeof FONTS;
export const FONT_PACKAGE = 'dejavu-fonts-ttf';

export interface Label {
  readonly text: string;
  /** Where its `align` lies; `y` is its middle. Pixels. */
  readonly x: number;
  readonly y: number;
  readonly size: number;
  readonly align: 'start' | 'middle' | 'end';
  readonly font?: FontName;
  /** CSS colour, default near black. */
  readonly colour?: string;
}

export interface Scene {
  readonly width: number;
  readonly height: number;
  readonly background: string;
  /** Elements of an SVG of that size. */
  readonly shapes: readonly string[];
  readonly labels: readonly Label[];
}

interface SetText {
  readonly png: Buffer;
  readonly width: number;
  readonly height: number;
}

/** PNG. The same scene gives the same bytes. */
export async function renderScene(scene: Scene): Promise<Uint8Array> {
  const { width, height, background, shapes, labels } = scene;
  const svg =
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}">` +
    `<rect width="100%" height="100%" fill="${background}"/>${shapes.join('')}</svg>`;
  const overlays = await Promise.all(
    labels.map(async (label) => {
      const set = await setText(label);
      const part = { start: 0, middle: 0.5, end: 1 }[label.align];
      const left = clamp(label.x - part * set.width, width - set.width);
      const top = clamp(label.y - set.height / 2, height - set.height);
      return { input: set.png, left, top };
    }),
  );
  return await sharp(Buffer.from(svg))
    .composite(overlays)
    .flatten({ background })
    .removeAlpha()
    .png({ compressionLevel: 6 })
    .toBuffer();
}

const kept = new Map<string, Promise<SetText>>();
const NUM_KEPT = 1000;

function setText(label: Label): Promise<SetText> {
  const { text, size, font = 'DejaVu Sans', colour = '#222222' } = label;
  const key = JSON.stringify([text, size, font, colour]);
  const known = kept.get(key);
  if (known !== undefined) return known;
  if (kept.size >= NUM_KEPT) kept.clear();
  const made = typeset({ text, size, font, colour });
  kept.set(key, made);
  return made;
}

async function typeset(
  label: Required<Pick<Label, 'text' | 'size' | 'font' | 'colour'>>,
): Promise<SetText> {
  const { text, size, font, colour } = label;
  const fontfile = join(packageFolder(FONT_PACKAGE), 'ttf', FONTS[font]);
  const { data, info } = await sharp({
    text: {
      text: `<span foreground="${colour}">${escapeXml(text)}</span>`,
      font: `${font} ${size}`,
      fontfile,
      dpi: 72,
      rgba: true,
    },
  })
    .png()
    .toBuffer({ resolveWithObject: true });
  return { png: data, width: info.width, height: info.height };
}

function clamp(value: number, most: number): number {
  return Math.max(0, Math.min(Math.round(value), most));
}

export function escapeXml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
