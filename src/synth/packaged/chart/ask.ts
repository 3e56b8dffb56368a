// Questions about a table that its chart answers exactly: read, compare, find the extreme, count. What
// the eye cannot tell apart is not asked.
import type { Random } from '../../../core/hash.ts';
import { type Question, SHORT_ANSWER, YES_OR_NO } from '../set.ts';
import { axisOf, clean } from './axis.ts';
import type { ChartTable, Series } from './table.ts';

/** Values nearer than this part of the axis look alike. */
const APART = 0.02;

/** As many different kinds of questions as the table has answers to, in a random order. */
export function askTable(random: Random, table: ChartTable): Question[] {
  const kinds = [askValue, askExtreme, askDifference, askCount, askHigher];
  return random.shuffle(kinds).flatMap((ask) => ask(random, table) ?? []);
}

type Ask = (random: Random, table: ChartTable) => Question | undefined;

const askValue: Ask = (random, table) => {
  const series = random.pick(table.series);
  const place = random.int(table.categories.length);
  return {
    kind: 'value',
    text: `What is the ${measureOf(table, series)} ${at(table, place)}?\n${SHORT_ANSWER}`,
    answers: [String(series.values[place])],
  };
};

const askExtreme: Ask = (random, table) => {
  const isMost = random.next() < 0.5;
  const word = isMost ? 'highest' : 'lowest';
  const across = table.series.length > 1 && random.next() < 0.5;
  const place = random.int(table.categories.length);
  const series = random.pick(table.series);
  const names = across ? table.series.map(({ name }) => name) : table.categories;
  const values = across ? table.series.map(({ values: own }) => own[place] ?? 0) : series.values;
  const order = values.map((value, index) => ({ value: isMost ? value : -value, index }));
  order.sort((a, b) => b.value - a.value);
  const [first, second] = order;
  if (first === undefined || second === undefined) return undefined;
  if (first.value - second.value < apart(table)) return undefined;
  const text = across
    ? `Which ${table.seriesIs} has the ${word} ${table.measure} ${at(table, place)}?`
    : `In which ${table.category} is the ${measureOf(table, series)} ${word}?`;
  return {
    kind: 'extreme',
    text: `${text}\n${SHORT_ANSWER}`,
    answers: [names[first.index] ?? ''],
  };
};

const askDifference: Ask = (random, table) => {
  const series = random.pick(table.series);
  const pair = pickPair(random, table, series, 5 * apart(table));
  if (pair === undefined) return undefined;
  const [one, other] = pair;
  const difference = clean(Math.abs((series.values[one] ?? 0) - (series.values[other] ?? 0)));
  const text =
    `What is the difference between the ${measureOf(table, series)} ` +
    `${at(table, one)} and ${at(table, other)}?`;
  return { kind: 'difference', text: `${text}\n${SHORT_ANSWER}`, answers: [String(difference)] };
};

const askHigher: Ask = (random, table) => {
  const series = random.pick(table.series);
  const pair = pickPair(random, table, series, apart(table));
  if (pair === undefined) return undefined;
  const [one, other] = pair;
  const text =
    `Is the ${measureOf(table, series)} ${at(table, one)} ` + `higher than ${at(table, other)}?`;
  const isHigher = (series.values[one] ?? 0) > (series.values[other] ?? 0);
  return {
    kind: 'higher',
    text: `${text}\n${YES_OR_NO}`,
    answers: [isHigher ? 'yes' : 'no'],
  };
};

/** Above a tick of the axis that no value comes near. */
const askCount: Ask = (random, table) => {
  const series = random.pick(table.series);
  const { ticks } = axisOf(table.series.flatMap(({ values }) => values));
  const countAbove = (tick: number): number => series.values.filter((value) => value > tick).length;
  const isClear = (tick: number): boolean =>
    series.values.every((value) => Math.abs(value - tick) >= apart(table)) &&
    countAbove(tick) > 0 &&
    countAbove(tick) < series.values.length;
  const clear = ticks.filter(isClear);
  if (clear.length === 0) return undefined;
  const tick = random.pick(clear);
  const things = table.category.replace(/y$/, 'ie');
  const text = `In how many ${things}s is the ${measureOf(table, series)} above ${tick}?`;
  return {
    kind: 'count',
    text: `${text}\n${SHORT_ANSWER}`,
    answers: [String(countAbove(tick))],
  };
};

function apart(table: ChartTable): number {
  const { low, high } = axisOf(table.series.flatMap(({ values }) => values));
  return APART * (high - low);
}

/** Two places of a series whose values are so far apart, in a random order. */
function pickPair(
  random: Random,
  table: ChartTable,
  { values }: Series,
  distance: number,
): readonly [number, number] | undefined {
  const places = random.shuffle(table.categories.map((_, place) => place));
  for (const one of places) {
    const other = places.find(
      (place) => Math.abs((values[one] ?? 0) - (values[place] ?? 0)) >= Math.max(distance, 1e-9),
    );
    if (other !== undefined) return [one, other];
  }
  return undefined;
}

function measureOf({ measure, series }: ChartTable, { name }: Series): string {
  return series.length > 1 ? `${measure} (${name})` : measure;
}

function at({ categories }: ChartTable, place: number): string {
  return `in ${categories[place]}`;
}
