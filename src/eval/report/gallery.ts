// A contact sheet of evaluated items: picture, question, the model's answer, coloured by truth.
import sharp, { type OverlayOptions } from 'sharp';
import { writeFileAtomic } from '../../core/files.ts';

/** One tile. */
export interface GalleryItem {
  /** The picture as an encoded file. */
  readonly image: Uint8Array;
  readonly question: string;
  /** What the model said. */
  readonly prediction: string;
  /** What is right; shown under a wrong prediction. */
  readonly answer: string;
  readonly isCorrect: boolean;
}

export interface GalleryOptions {
  /** Tiles in a row; default 4. */
  readonly columns?: number;
  /** Side of a picture in pixels; default 168. */
  readonly pictureSide?: number;
}

const MARGIN = 16;
const TEXT_HEIGHT = 76;
const RIGHT_COLOUR = '#1a7f37';
const WRONG_COLOUR = '#cf222e';

/**
 * Draws the tiles row by row and writes them as one PNG. Texts need a font of the
 * system; without one they stay empty.
 *
 * @throws OneVisionError `disk` when the file cannot be written
 */
export async function renderGallery(
  path: string,
  items: readonly GalleryItem[],
  { columns = 4, pictureSide = 168 }: GalleryOptions = {},
): Promise<void> {
  const tileWidth = pictureSide + MARGIN;
  const tileHeight = pictureSide + TEXT_HEIGHT + MARGIN;
  const across = Math.min(columns, Math.max(1, items.length));
  const rows = Math.max(1, Math.ceil(items.length / across));
  const width = across * tileWidth + MARGIN;
  const height = rows * tileHeight + MARGIN;
  const layers: OverlayOptions[] = [];
  for (const [index, item] of items.entries()) {
    const left = MARGIN + (index % across) * tileWidth;
    const top = MARGIN + Math.floor(index / across) * tileHeight;
    const picture = sharp(item.image).resize(pictureSide, pictureSide, {
      fit: 'contain',
      background: '#fff',
      kernel: 'lanczos3',
    });
    layers.push({ input: await picture.png().toBuffer(), left, top });
    const caption = captionSvg(item, pictureSide);
    layers.push({ input: Buffer.from(caption), left, top: top + pictureSide });
  }
  const sheet = sharp({ create: { width, height, channels: 3, background: '#f6f8fa' } });
  await writeFileAtomic(path, await sheet.composite(layers).png().toBuffer());
}

function captionSvg(
  { question, prediction, answer, isCorrect }: GalleryItem,
  width: number,
): string {
  const said = prediction === '' ? '(nothing)' : prediction;
  const lines = [
    { y: 18, colour: '#57606a', weight: 400, text: question },
    { y: 40, colour: isCorrect ? RIGHT_COLOUR : WRONG_COLOUR, weight: 700, text: said },
  ];
  if (!isCorrect) lines.push({ y: 60, colour: '#57606a', weight: 400, text: `truth: ${answer}` });
  const texts = lines.map(({ y, colour, weight, text }) => {
    const shown = escapeXml(cut(text, width / (weight > 400 ? 8 : 7)));
    return `<text x="0" y="${y}" fill="${colour}" font-weight="${weight}">${shown}</text>`;
  });
  return (
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${TEXT_HEIGHT}" ` +
    `font-family="DejaVu Sans, Helvetica, Arial, sans-serif" font-size="12">${texts.join('')}</svg>`
  );
}

function cut(text: string, length: number): string {
  const plain = text.replaceAll('<image>', '').trim();
  return plain.length <= length ? plain : `${plain.slice(0, Math.floor(length) - 1)}…`;
}

/** Text for XML; control characters, which XML cannot hold, become a box. */
function escapeXml(text: string): string {
  const safe = [...text].map((char) => ((char.codePointAt(0) ?? 0) < 32 ? '▯' : char)).join('');
  return safe
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
}
