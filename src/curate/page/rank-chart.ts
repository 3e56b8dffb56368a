// How often concepts occur against their rank, before and after, both axes logarithmic. SVG.

export interface Curve {
  readonly name: string;
  readonly colour: string;
  /** [rank, count], from 1 up. */
  readonly points: readonly (readonly [rank: number, count: number])[];
}

const WIDTH = 640;
const HEIGHT = 300;
const LEFT = 52;
const BOTTOM = 36;
const TOP = 12;
const RIGHT = 12;

/** One line a curve, decades as grid lines. */
export function rankChart(curves: readonly Curve[]): string {
  const all = curves.flatMap(({ points }) => points);
  const maxRank = decade(Math.max(10, ...all.map(([rank]) => rank)));
  const maxCount = decade(Math.max(10, ...all.map(([, count]) => count)));
  const x = (rank: number): number =>
    LEFT + ((WIDTH - LEFT - RIGHT) * Math.log(rank)) / Math.log(maxRank);
  const y = (count: number): number =>
    HEIGHT - BOTTOM - ((HEIGHT - TOP - BOTTOM) * Math.log(count)) / Math.log(maxCount);
  const lines = curves.map(({ name, colour, points }) => {
    const path = points.map(([rank, count]) => `${x(rank).toFixed(1)},${y(count).toFixed(1)}`);
    return (
      `<polyline fill="none" stroke="${colour}" stroke-width="2" points="${path.join(' ')}">` +
      `<title>${name}</title></polyline>`
    );
  });
  return [
    `<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="concepts by rank">`,
    ...grid(maxRank, x, (at, label) => vertical(at, label)),
    ...grid(maxCount, y, (at, label) => horizontal(at, label)),
    `<text x="${WIDTH / 2}" y="${HEIGHT - 4}" text-anchor="middle">rank of the concept</text>`,
    `<text x="12" y="${HEIGHT / 2}" text-anchor="middle" transform="rotate(-90 12 ${HEIGHT / 2})">` +
      'samples</text>',
    ...lines,
    ...legend(curves),
    '</svg>',
  ].join('\n');
}

function decade(value: number): number {
  return 10 ** Math.ceil(Math.log10(value));
}

function grid(
  max: number,
  place: (value: number) => number,
  draw: (at: number, label: string) => string,
): string[] {
  const lines: string[] = [];
  for (let value = 1; value <= max; value *= 10) {
    lines.push(draw(place(value), value.toLocaleString('en-US')));
  }
  return lines;
}

function vertical(at: number, label: string): string {
  const x = at.toFixed(1);
  return (
    `<line x1="${x}" x2="${x}" y1="${TOP}" y2="${HEIGHT - BOTTOM}" class="grid"/>` +
    `<text x="${x}" y="${HEIGHT - BOTTOM + 14}" text-anchor="middle">${label}</text>`
  );
}

function horizontal(at: number, label: string): string {
  const y = at.toFixed(1);
  return (
    `<line x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${y}" y2="${y}" class="grid"/>` +
    `<text x="${LEFT - 6}" y="${(at + 4).toFixed(1)}" text-anchor="end">${label}</text>`
  );
}

function legend(curves: readonly Curve[]): string[] {
  return curves.map(({ name, colour }, i) => {
    const y = TOP + 14 + 18 * i;
    const x = WIDTH - RIGHT - 130;
    return (
      `<rect x="${x}" y="${y - 9}" width="16" height="4" fill="${colour}"/>` +
      `<text x="${x + 24}" y="${y - 3}">${name}</text>`
    );
  });
}
