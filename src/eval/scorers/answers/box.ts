// Grounding: a box in a reply is right when it overlaps the true one by half of what both cover.
import { answerPart } from '../reply-parts.ts';
import type { Rule } from '../scorer.ts';

/** left, top, right, bottom in thousandths of the picture's sides. */
export type Box = readonly [number, number, number, number];

/** The overlap that counts as found. */
const LEAST_OVERLAP = 0.5;
const NUMBER = String.raw`(-?\d+(?:\.\d+)?)`;
const LIST = new RegExp(
  String.raw`[[(]\s*${[NUMBER, NUMBER, NUMBER, NUMBER].join(String.raw`\s*,\s*`)}\s*[\])]`,
  'g',
);

/** Intersection over union, 0 to 1; 0 for boxes without an area. */
export function overlapOf(a: Box, b: Box): number {
  const width = Math.min(a[2], b[2]) - Math.max(a[0], b[0]);
  const height = Math.min(a[3], b[3]) - Math.max(a[1], b[1]);
  if (width <= 0 || height <= 0) return 0;
  const shared = width * height;
  return shared / (areaOf(a) + areaOf(b) - shared);
}

function areaOf([left, top, right, bottom]: Box): number {
  return Math.max(0, right - left) * Math.max(0, bottom - top);
}

/**
 * Ours: the one box that the reply states, `[left, top, right, bottom]` or in round brackets, within the
 * picture and its corners in order. Two different boxes are no answer.
 */
export function strictBox(text: string): Box | undefined {
  const boxes = [...answerPart(text).text.matchAll(LIST)].map(toBox);
  const [first] = boxes;
  if (first === undefined || boxes.some((box) => String(box) !== String(first))) return undefined;
  const [left, top, right, bottom] = first;
  const isInside = Math.min(left, top) >= 0 && Math.max(right, bottom) <= 1000;
  return isInside && left < right && top < bottom ? first : undefined;
}

/** The usual rule: the first four numbers, however written; shares of 1 count as thousandths. */
export function anyBox(text: string): Box | undefined {
  const numbers = [...text.matchAll(/-?\d+(?:\.\d+)?/g)]
    .slice(0, 4)
    .map(([found]) => Number(found));
  if (numbers.length < 4) return undefined;
  const scale = numbers.every((value) => Math.abs(value) <= 1) ? 1000 : 1;
  const [x1 = 0, y1 = 0, x2 = 0, y2 = 0] = numbers.map((value) => value * scale);
  return [Math.min(x1, x2), Math.min(y1, y2), Math.max(x1, x2), Math.max(y1, y2)];
}

function toBox([, ...found]: RegExpExecArray): Box {
  const [left = 0, top = 0, right = 0, bottom = 0] = found.map(Number);
  return [left, top, right, bottom];
}

/** Right when the box that is read out of the reply overlaps an accepted one by half. */
export function matchBox(read: (text: string) => Box | undefined): Rule {
  return (text, { answers }) => {
    const box = read(text);
    if (box === undefined) return { score: 0, parsed: undefined };
    const isFound = answers.some((answer) => {
      const gold = anyBox(answer);
      return gold !== undefined && overlapOf(box, gold) >= LEAST_OVERLAP;
    });
    return { score: isFound ? 1 : 0, parsed: `[${box.join(', ')}]` };
  };
}
