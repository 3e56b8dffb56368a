// The set chart-mini: charts of real tables, four questions each.
import { createRandom } from '../../../core/hash.ts';
import { FONT_PACKAGE, renderScene } from '../scene.ts';
import { type AskedPicture, askInTurn, type PackagedSet } from '../set.ts';
import { askTable } from './ask.ts';
import { type ChartStyle, drawChart } from './draw.ts';
import { type ChartTable, openTables, type TableSource } from './table.ts';

const NAME = 'chart-mini';
const COUNT = 500;
const PER_CHART = 4;
const PALETTES = [
  ['#3366cc', '#dc3912', '#ff9900'],
  ['#1b7837', '#762a83', '#e08214'],
  ['#444444', '#c51b7d', '#2aa7a0'],
] as const;

export const chartSet: PackagedSet = {
  name: NAME,
  version: 1,
  count: COUNT,
  packages: ['vega-datasets', FONT_PACKAGE],
  open: () => {
    const sources = openTables();
    return askInTurn(NAME, COUNT, PER_CHART, (index) => makeChart(sources, index));
  },
};

/** The table of a picture, drawn anew where it has too few questions that can be answered. */
export function chartAt(
  sources: readonly TableSource[],
  index: number,
): { readonly table: ChartTable; readonly questions: AskedPicture['questions'] } {
  const source = sources[index % sources.length];
  if (source === undefined) throw new RangeError('expected sources of tables');
  for (let attempt = 0; ; attempt++) {
    const random = createRandom(NAME, index, attempt);
    const table = source(random);
    const questions = askTable(random, table);
    if (questions.length >= PER_CHART) return { table, questions };
  }
}

async function makeChart(sources: readonly TableSource[], index: number): Promise<AskedPicture> {
  const { table, questions } = chartAt(sources, index);
  const picture = await renderScene(drawChart(table, pickStyle(table, index)));
  return { picture, questions };
}

function pickStyle({ category, series }: ChartTable, index: number): ChartStyle {
  const random = createRandom(NAME, 'style', index);
  const isNamed = category === 'country' || category === 'industry';
  const inTime =
    series.length > 1 ? (['lines', 'columns'] as const) : (['lines', 'columns', 'bars'] as const);
  const font = random.pick(['DejaVu Sans', 'DejaVu Sans Condensed', 'DejaVu Serif'] as const);
  return {
    form: isNamed ? 'bars' : random.pick(inTime),
    font,
    colours: random.pick(PALETTES),
    values: random.next() < 0.5,
  };
}
