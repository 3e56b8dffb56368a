// Reads a TopoJSON file: regions as rings of degrees, and which regions share an arc of their border.
import * as z from 'zod';
import { readPackageJson } from '../read.ts';

/** [longitude, latitude] in degrees. */
export type Point = readonly [number, number];
export type Ring = readonly Point[];

export interface Region {
  /** Its id in the file, as text. */
  readonly id: string;
  /** Outer rings and holes alike; filled by the even-odd rule. */
  readonly rings: readonly Ring[];
  /** Ids of the regions that share an arc with it. */
  readonly touches: ReadonlySet<string>;
}

const arcsSchema = z.array(z.number());
const geometrySchema = z.object({
  id: z.union([z.number(), z.string()]).optional(),
  type: z.string().nullable(),
  arcs: z.union([z.array(arcsSchema), z.array(z.array(arcsSchema))]).optional(),
});
const objectSchema = z.object({ geometries: z.array(geometrySchema) });
const topologySchema = z.object({
  transform: z.object({
    scale: z.tuple([z.number(), z.number()]),
    translate: z.tuple([z.number(), z.number()]),
  }),
  objects: z.record(z.string(), z.unknown()),
  arcs: z.array(z.array(z.tuple([z.number(), z.number()]))),
});

/** The regions of one object of a file. @throws OneVisionError 'data' for another file */
export function readRegions(name: string, file: string, object: string): Region[] {
  const { transform, objects, arcs } = readPackageJson(name, file, topologySchema);
  const lines = arcs.map((steps) => decodeArc(steps, transform));
  const ringsOf = ({ arcs: own = [], type }: z.output<typeof geometrySchema>): number[][] =>
    (type === 'MultiPolygon' ? own.flat() : own) as number[][];
  const { geometries } = objectSchema.parse(objects[object]);
  const owners = new Map<number, string[]>();
  for (const geometry of geometries) {
    for (const arc of new Set(ringsOf(geometry).flat().map(arcIndex))) {
      owners.set(arc, [...(owners.get(arc) ?? []), String(geometry.id)]);
    }
  }
  return geometries.map((geometry) => {
    const id = String(geometry.id);
    const used = ringsOf(geometry).flat().map(arcIndex);
    const touches = new Set(used.flatMap((arc) => owners.get(arc) ?? []));
    touches.delete(id);
    return { id, rings: ringsOf(geometry).map((ring) => joinArcs(ring, lines)), touches };
  });
}

/** A negative index is the arc backwards. */
function arcIndex(index: number): number {
  return index < 0 ? ~index : index;
}

function decodeArc(
  steps: readonly (readonly [number, number])[],
  { scale, translate }: z.output<typeof topologySchema>['transform'],
): Point[] {
  let [x, y] = [0, 0];
  return steps.map(([dx, dy]): Point => {
    x += dx;
    y += dy;
    return [x * scale[0] + translate[0], y * scale[1] + translate[1]];
  });
}

function joinArcs(ring: readonly number[], lines: readonly Ring[]): Point[] {
  const points: Point[] = [];
  for (const index of ring) {
    const line = lines[arcIndex(index)] ?? [];
    const along = index < 0 ? line.toReversed() : line;
    points.push(...(points.length === 0 ? along : along.slice(1)));
  }
  return points;
}

/** Its area on the plane of degrees, without a sign. */
export function ringArea(ring: Ring): number {
  let twice = 0;
  ring.forEach(([x, y], place) => {
    const [nextX, nextY] = ring[(place + 1) % ring.length] ?? [x, y];
    twice += x * nextY - nextX * y;
  });
  return Math.abs(twice) / 2;
}
