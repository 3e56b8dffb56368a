// Drawn stand-ins for pictures and digits, and a counter of connected blobs. For tests only.
import sharp from 'sharp';
import type { RgbImage } from '../image/pixels.ts';
import { Deck } from './deck.ts';
import { createCanvas, cutOut } from './draw/canvas.ts';
import type { Rgb } from './draw/palette.ts';
import type { Digits, Subject, TaskContext } from './task.ts';

/** A filled disc on white. */
export function drawDisc(side: number, colour: Rgb): RgbImage {
  const image = createCanvas(side, [255, 255, 255]);
  for (let y = 0; y < side; y++) {
    for (let x = 0; x < side; x++) {
      const isInside = Math.hypot(x + 0.5 - side / 2, y + 0.5 - side / 2) < side * 0.45;
      if (isInside) image.data.set(colour, 3 * (y * side + x));
    }
  }
  return image;
}

export async function encode({ width, height, data }: RgbImage): Promise<Uint8Array> {
  return sharp(data, { raw: { width, height, channels: 3 } })
    .png()
    .toBuffer();
}

/** A subject that is a disc of one colour. */
export function discSubject(name: string, colour: Rgb, kind?: string): Subject {
  return {
    uid: name,
    group: `group:${name}`,
    label: name,
    tags: [`${name} tag`],
    kind,
    concepts: [name],
    noFlip: false,
    picture: { name: 'img0.png', bytes: new Uint8Array() },
    sprite: cutOut(drawDisc(84, colour), 48),
  };
}

/** Stand-in digits: the picture of a digit shows that many dots. */
export function dottedDigits(): Digits {
  return Array.from({ length: 10 }, (_, value) => {
    const grey = new Uint8Array(28 * 28);
    for (let dot = 0; dot < value; dot++) {
      const [left, top] = [6 + 6 * (dot % 3), 6 + 6 * Math.floor(dot / 3)];
      for (let i = 0; i < 9; i++) grey[(top + Math.floor(i / 3)) * 28 + left + (i % 3)] = 255;
    }
    return [grey];
  });
}

/** A context with the given subjects and dotted digits. */
export function contextOf<S>(subjects: readonly Subject[], settings: S): TaskContext<S> {
  return {
    seed: 3,
    set: 'train/test',
    size: 84,
    subjects: new Deck(subjects, 'test', 3),
    digits: dottedDigits(),
    settings,
  };
}

/** Number of 4-connected regions that differ from the colour of the first pixel. */
export function countBlobs({ width, height, data }: RgbImage, tolerance: number): number {
  const isInk = (i: number): boolean =>
    [0, 1, 2].some((c) => Math.abs((data[3 * i + c] ?? 0) - (data[c] ?? 0)) > tolerance);
  const seen = new Uint8Array(width * height);
  let blobs = 0;
  for (let start = 0; start < width * height; start++) {
    if (seen[start] === 1 || !isInk(start)) continue;
    blobs += 1;
    const open = [start];
    seen[start] = 1;
    for (let i = open.pop(); i !== undefined; i = open.pop()) {
      const x = i % width;
      const next = [i - width, i + width];
      if (x > 0) next.push(i - 1);
      if (x < width - 1) next.push(i + 1);
      for (const j of next) {
        if (j < 0 || j >= width * height || seen[j] === 1 || !isInk(j)) continue;
        seen[j] = 1;
        open.push(j);
      }
    }
  }
  return blobs;
}
