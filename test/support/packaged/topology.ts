// A TopoJSON file of rectangles that share their edges.

type Step = readonly [number, number];

/** @param area longitude and latitude of the corner, width and height of a cell, in degrees */
export function gridTopology(
  object: string,
  columns: number,
  rows: number,
  [left, bottom, width, height]: readonly [number, number, number, number],
  idOf: (place: number) => number,
): object {
  const arcs: Step[][] = [];
  const across = new Map<string, number>();
  const up = new Map<string, number>();
  for (let y = 0; y <= rows; y++) {
    for (let x = 0; x <= columns; x++) {
      if (x < columns) {
        across.set(`${x},${y}`, arcs.length);
        arcs.push([
          [x, y],
          [1, 0],
        ]);
      }
      if (y < rows) {
        up.set(`${x},${y}`, arcs.length);
        arcs.push([
          [x, y],
          [0, 1],
        ]);
      }
    }
  }
  const geometries = Array.from({ length: columns * rows }, (_, place) => {
    const [x, y] = [place % columns, Math.floor(place / columns)];
    const [low, right] = [across.get(`${x},${y}`) ?? 0, up.get(`${x + 1},${y}`) ?? 0];
    const [high, side] = [across.get(`${x},${y + 1}`) ?? 0, up.get(`${x},${y}`) ?? 0];
    const ring = [low, right, ~high, ~side];
    const isMulti = place % 2 === 1;
    const type = isMulti ? 'MultiPolygon' : 'Polygon';
    return { type, id: idOf(place), arcs: isMulti ? [[ring]] : [ring] };
  });
  return {
    type: 'Topology',
    transform: { scale: [width, height], translate: [left, bottom] },
    objects: { [object]: { type: 'GeometryCollection', geometries }, land: { type: 'Polygon' } },
    arcs,
  };
}
