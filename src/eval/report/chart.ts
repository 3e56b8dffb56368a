// A bar chart of accuracies with their intervals and the level of guessing, as SVG text.

/** One bar. Shares are 0 to 1. */
export interface Bar {
  readonly label: string;
  readonly value: number;
  readonly low: number;
  readonly high: number;
  /** Accuracy of guessing; a dashed mark. */
  readonly chance?: number | undefined;
}

const LABEL_WIDTH = 250;
const PLOT_WIDTH = 430;
const ROW = 34;
const TOP = 34;

/** Bars from left to right on a scale of 0 to 100 %, one row each, with the figure beside it. */
export function barChart(title: string, bars: readonly Bar[]): string {
  const width = LABEL_WIDTH + PLOT_WIDTH + 80;
  const height = TOP + ROW * bars.length + 30;
  const grid = [0, 25, 50, 75, 100].map((percent) => {
    const x = place(percent / 100);
    const bottom = TOP + ROW * bars.length;
    return (
      `<line x1="${x}" y1="${TOP}" x2="${x}" y2="${bottom}" stroke="#d0d7de"/>` +
      `<text x="${x}" y="${bottom + 18}" text-anchor="middle" fill="#57606a">${percent} %</text>`
    );
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" font-size="13"` +
      ' font-family="Helvetica, Arial, DejaVu Sans, sans-serif">',
    `<rect width="${width}" height="${height}" fill="#ffffff"/>`,
    `<text x="${LABEL_WIDTH}" y="20" font-weight="700" fill="#1f2328">${escapeXml(title)}</text>`,
    ...grid,
    ...bars.map((bar, row) => drawBar(bar, TOP + ROW * row)),
    '</svg>',
    '',
  ].join('\n');
}

function drawBar({ label, value, low, high, chance }: Bar, top: number): string {
  const middle = top + ROW / 2;
  const start = place(0);
  const parts = [
    `<text x="${LABEL_WIDTH - 10}" y="${middle + 4}" text-anchor="end" fill="#1f2328">` +
      `${escapeXml(label)}</text>`,
    `<rect x="${start}" y="${top + 7}" width="${place(value) - start}" height="${ROW - 14}"` +
      ' rx="2" fill="#4a90c2"/>',
    `<path d="M${place(low)} ${middle}H${place(high)}M${place(low)} ${middle - 5}v10` +
      `M${place(high)} ${middle - 5}v10" stroke="#1f2328" stroke-width="1.5" fill="none"/>`,
    `<text x="${place(1) + 12}" y="${middle + 4}" fill="#1f2328">` +
      `${(100 * value).toFixed(1)} %</text>`,
  ];
  if (chance !== undefined) {
    const x = place(chance);
    parts.push(
      `<line x1="${x}" y1="${top + 3}" x2="${x}" y2="${top + ROW - 3}" stroke="#cf222e"` +
        ' stroke-width="1.5" stroke-dasharray="4 3"/>',
    );
  }
  return parts.join('');
}

function place(share: number): number {
  return LABEL_WIDTH + Math.round(PLOT_WIDTH * Math.min(1, Math.max(0, share)));
}

function escapeXml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
