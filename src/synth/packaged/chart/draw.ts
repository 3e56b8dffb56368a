// A table as a picture: columns, bars or lines, with axis, grid, title and legend. Knows no questions.
import type { FontName, Label, Scene } from '../scene.ts';
import { type Axis, axisOf } from './axis.ts';
import type { ChartTable } from './table.ts';

export const CHART_FORMS = ['columns', 'bars', 'lines'] as const;
export type ChartForm = (typeof CHART_FORMS)[number];

export interface ChartStyle {
  readonly form: ChartForm;
  readonly font: FontName;
  readonly colours: readonly string[];
  /** Write each value beside its mark; never for lines. */
  readonly values: boolean;
}

const WIDTH = 480;
const HEIGHT = 360;
const GRID = '#d8d8d8';
const TITLE_Y = 16;
const LEGEND_Y = 38;

interface Plot {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

export function drawChart(table: ChartTable, style: ChartStyle): Scene {
  const axis = axisOf(table.series.flatMap(({ values }) => values));
  const isFlat = style.form === 'bars';
  const plot: Plot = isFlat
    ? { left: 168, top: 52, width: 284, height: 272 }
    : { left: 48, top: 52, width: 416, height: 270 };
  const marks = { columns: columnMarks, bars: barMarks, lines: lineMarks }[style.form];
  const drawn = marks(table, style, plot, axis);
  const labels: Label[] = [
    { text: table.title, x: WIDTH / 2, y: TITLE_Y, size: 13, align: 'middle', font: style.font },
    ...drawn.labels,
    ...legend(table, style).labels,
  ];
  return {
    width: WIDTH,
    height: HEIGHT,
    background: '#ffffff',
    shapes: [...grid(plot, axis, isFlat), ...drawn.shapes, ...legend(table, style).shapes],
    labels: [...labels, ...tickLabels(plot, axis, isFlat, style.font)],
  };
}

interface Marks {
  readonly shapes: readonly string[];
  readonly labels: readonly Label[];
}

/** How far along the axis a value lies, 0 to 1. */
function along({ low, high }: Axis, value: number): number {
  return (value - low) / (high - low);
}

function columnMarks(table: ChartTable, style: ChartStyle, plot: Plot, axis: Axis): Marks {
  const slot = plot.width / table.categories.length;
  const wide = (slot * 0.72) / table.series.length;
  const yOf = (value: number): number => plot.top + plot.height * (1 - along(axis, value));
  const shapes: string[] = [];
  const labels: Label[] = categoriesBelow(table, style, plot);
  table.series.forEach(({ values }, place) => {
    values.forEach((value, index) => {
      const x = plot.left + slot * (index + 0.14) + wide * place;
      const [top, bottom] = [yOf(Math.max(0, value)), yOf(Math.min(0, value))];
      shapes.push(rect(x, top, wide, bottom - top, style.colours[place]));
      if (!style.values || table.series.length > 1) return;
      labels.push(labelAt(String(value), x + wide / 2, top - 8, 'middle', style.font));
    });
  });
  return { shapes, labels };
}

function barMarks(table: ChartTable, style: ChartStyle, plot: Plot, axis: Axis): Marks {
  const slot = plot.height / table.categories.length;
  const thick = (slot * 0.72) / table.series.length;
  const xOf = (value: number): number => plot.left + plot.width * along(axis, value);
  const shapes: string[] = [];
  const labels: Label[] = table.categories.map((name, index) =>
    labelAt(name, plot.left - 6, plot.top + slot * (index + 0.5), 'end', style.font),
  );
  table.series.forEach(({ values }, place) => {
    values.forEach((value, index) => {
      const y = plot.top + slot * (index + 0.14) + thick * place;
      const [left, right] = [xOf(Math.min(0, value)), xOf(Math.max(0, value))];
      shapes.push(rect(left, y, right - left, thick, style.colours[place]));
      if (!style.values) return;
      labels.push(labelAt(String(value), right + 4, y + thick / 2, 'start', style.font));
    });
  });
  return { shapes, labels };
}

function lineMarks(table: ChartTable, style: ChartStyle, plot: Plot, axis: Axis): Marks {
  const slot = plot.width / table.categories.length;
  const shapes = table.series.flatMap(({ values }, place) => {
    const colour = style.colours[place] ?? '#000';
    const points = values.map((value, index): readonly [number, number] => [
      plot.left + slot * (index + 0.5),
      plot.top + plot.height * (1 - along(axis, value)),
    ]);
    const path = points.map(([x, y]) => `${number(x)},${number(y)}`).join(' ');
    const dots = points.map(
      ([x, y]) => `<circle cx="${number(x)}" cy="${number(y)}" r="3" fill="${colour}"/>`,
    );
    return [
      `<polyline points="${path}" fill="none" stroke="${colour}" stroke-width="2"/>`,
      ...dots,
    ];
  });
  return { shapes, labels: categoriesBelow(table, style, plot) };
}

function categoriesBelow(table: ChartTable, { font }: ChartStyle, plot: Plot): Label[] {
  const slot = plot.width / table.categories.length;
  const y = plot.top + plot.height + 14;
  return table.categories.map((name, index) =>
    labelAt(name, plot.left + slot * (index + 0.5), y, 'middle', font),
  );
}

function grid(plot: Plot, axis: Axis, isFlat: boolean): string[] {
  const { left, top, width, height } = plot;
  return axis.ticks.map((tick) => {
    const part = along(axis, tick);
    const colour = tick === 0 ? '#444444' : GRID;
    const [x, y] = [left + width * part, top + height * (1 - part)];
    return isFlat ? line(x, top, x, top + height, colour) : line(left, y, left + width, y, colour);
  });
}

function tickLabels(plot: Plot, axis: Axis, isFlat: boolean, font: FontName): Label[] {
  return axis.ticks.map((tick) => {
    const part = along(axis, tick);
    const text = String(tick);
    return isFlat
      ? labelAt(text, plot.left + plot.width * part, plot.top + plot.height + 14, 'middle', font)
      : labelAt(text, plot.left - 6, plot.top + plot.height * (1 - part), 'end', font);
  });
}

function legend(table: ChartTable, style: ChartStyle): Marks {
  if (table.series.length < 2) return { shapes: [], labels: [] };
  const slot = (WIDTH - 40) / table.series.length;
  const xOf = (place: number): number => 24 + slot * place;
  return {
    shapes: table.series.map((_, place) =>
      rect(xOf(place), LEGEND_Y - 5, 10, 10, style.colours[place]),
    ),
    labels: table.series.map(({ name }, place) =>
      labelAt(name, xOf(place) + 15, LEGEND_Y, 'start', style.font),
    ),
  };
}

function labelAt(text: string, x: number, y: number, align: Label['align'], font: FontName): Label {
  return { text, x, y, size: 10.5, align, font };
}

function rect(x: number, y: number, width: number, height: number, fill = '#000'): string {
  return `<rect x="${number(x)}" y="${number(y)}" width="${number(width)}" height="${number(height)}" fill="${fill}"/>`;
}

function line(x1: number, y1: number, x2: number, y2: number, stroke: string): string {
  return `<line x1="${number(x1)}" y1="${number(y1)}" x2="${number(x2)}" y2="${number(y2)}" stroke="${stroke}"/>`;
}

function number(value: number): string {
  return value.toFixed(2);
}
