// Height and width of plain PNG, JPEG and WebP files from their first bytes, without libvips.
// Anything that could turn the picture (EXIF) or is unusual is left to the caller's slow path.

import type { ImageSize } from './smart-resize.ts';

/** PNG chunks that cannot carry an orientation. */
const PLAIN_CHUNKS: ReadonlySet<string> = new Set(
  'IHDR PLTE IDAT IEND tRNS gAMA cHRM sRGB iCCP sBIT bKGD hIST pHYs tIME'.split(' '),
);

/** The size of the picture, or undefined when the header alone does not settle it. */
export function parseImageSize(bytes: Uint8Array): ImageSize | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  try {
    if (view.getUint32(0) === 0x89504e47) return positive(pngSize(view));
    if (view.getUint16(0) === 0xffd8) return positive(jpegSize(view));
    if (text(view, 0) === 'RIFF' && text(view, 8) === 'WEBP') return positive(webpSize(view));
  } catch (error) {
    if (!(error instanceof RangeError)) throw error; // read past the end: a torn file
  }
  return undefined;
}

function positive(size: ImageSize | undefined): ImageSize | undefined {
  return size !== undefined && size.width > 0 && size.height > 0 ? size : undefined;
}

function text(view: DataView, offset: number): string {
  return String.fromCharCode(...[0, 1, 2, 3].map((i) => view.getUint8(offset + i)));
}

/** PNG specification, chunk layout and IHDR. */
function pngSize(view: DataView): ImageSize | undefined {
  if (text(view, 12) !== 'IHDR') return undefined;
  for (let at = 8; ; at += 12 + view.getUint32(at)) {
    const kind = text(view, at + 4);
    if (!PLAIN_CHUNKS.has(kind)) return undefined;
    if (kind === 'IEND') return { width: view.getUint32(16), height: view.getUint32(20) };
  }
}

/** JPEG (ITU T.81): segments up to the frame header; an APP1 segment may hold EXIF. */
function jpegSize(view: DataView): ImageSize | undefined {
  for (let at = 2; view.getUint8(at) === 0xff; at += 2 + view.getUint16(at + 2)) {
    const marker = view.getUint8(at + 1);
    if (marker === 0xe1 || marker < 0xc0 || marker === 0xff) return undefined;
    const isFrame = marker <= 0xcf && marker !== 0xc4 && marker !== 0xc8 && marker !== 0xcc;
    if (isFrame) return { height: view.getUint16(at + 5), width: view.getUint16(at + 7) };
  }
  return undefined;
}

/** WebP without the extended header (which may announce EXIF): lossy VP8 or lossless VP8L. */
function webpSize(view: DataView): ImageSize | undefined {
  const kind = text(view, 12);
  if (kind === 'VP8 ' && view.getUint16(23) === 0x9d01 && view.getUint8(25) === 0x2a) {
    const size = (offset: number): number => view.getUint16(offset, true) & 0x3fff;
    return { width: size(26), height: size(28) };
  }
  if (kind === 'VP8L' && view.getUint8(20) === 0x2f) {
    const bits = view.getUint32(21, true);
    return { width: (bits & 0x3fff) + 1, height: ((bits >>> 14) & 0x3fff) + 1 };
  }
  return undefined;
}
