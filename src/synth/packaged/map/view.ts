// A window of a map as a picture: degrees to pixels, regions to paths, boxes of what is seen. Pure.
import type { Scene } from '../scene.ts';
import type { Atlas } from './places.ts';
import { type Point, type Region, type Ring, ringArea } from './topology.ts';

export interface View {
  readonly width: number;
  readonly height: number;
  /** Pixels of a point; `y` grows downwards. */
  project(point: Point): Point;
}

/** left, top, right, bottom. */
export type Box = readonly [number, number, number, number];

/** The window around the largest ring of a region, `around` times as large, at least `least` degrees. */
export function viewOf(
  region: Region,
  [width, height]: readonly [number, number],
  around: number,
  least: number,
): View {
  const largest = region.rings.toSorted((a, b) => ringArea(b) - ringArea(a))[0] ?? [];
  const [left, bottom, right, top] = boundsOf(largest);
  const middle: Point = [(left + right) / 2, (bottom + top) / 2];
  // Degrees of longitude are shorter away from the equator.
  const shrink = Math.cos((Math.min(70, Math.abs(middle[1])) * Math.PI) / 180);
  const spanX = Math.max(least, (right - left) * shrink * around);
  const spanY = Math.max((least * height) / width, (top - bottom) * around);
  const scale = Math.min(width / spanX, height / spanY);
  return {
    width,
    height,
    project: ([x, y]) => [
      width / 2 + (x - middle[0]) * shrink * scale,
      height / 2 - (y - middle[1]) * scale,
    ],
  };
}

function boundsOf(ring: Ring): Box {
  const [xs, ys] = [ring.map(([x]) => x), ring.map(([, y]) => y)];
  return [Math.min(...xs), Math.min(...ys), Math.max(...xs), Math.max(...ys)];
}

/** The part of a region that the window shows; undefined where it shows none of it. */
export function boxIn(view: View, region: Region): Box | undefined {
  const [left, top, right, bottom] = boundsOf(region.rings.flat().map(view.project));
  const box: Box = [
    Math.max(0, left),
    Math.max(0, top),
    Math.min(view.width, right),
    Math.min(view.height, bottom),
  ];
  return box[0] < box[2] && box[1] < box[3] ? box : undefined;
}

/** Every region of the atlas in grey, some in a colour of their own. */
export function drawMap(atlas: Atlas, view: View, colours: ReadonlyMap<string, string>): Scene {
  const shapes = atlas.regions.flatMap((region) => {
    if (boxIn(view, region) === undefined) return [];
    const fill = colours.get(region.id) ?? '#d9d4c7';
    const path = region.rings.map((ring) => pathOf(ring.map(view.project))).join('');
    return [`<path d="${path}" fill="${fill}" fill-rule="evenodd" stroke="#7a7568"/>`];
  });
  return { width: view.width, height: view.height, background: '#cfe4ef', shapes, labels: [] };
}

function pathOf(points: readonly Point[]): string {
  return `M${points.map(([x, y]) => `${x.toFixed(1)},${y.toFixed(1)}`).join('L')}Z`;
}
