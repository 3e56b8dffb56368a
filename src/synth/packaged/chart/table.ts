// The tables behind charts, drawn from data that vega-datasets packs under open terms: Gapminder
// (CC-BY-4.0), Iowa's electricity, Seattle's weather and unemployment (US government).
import * as z from 'zod';
import type { Random } from '../../../core/hash.ts';
import { readPackageCsv, readPackageJson } from '../read.ts';

export interface Series {
  readonly name: string;
  readonly values: readonly number[];
}

/** What one chart shows. Values are rounded as they are labelled. */
export interface ChartTable {
  readonly title: string;
  /** What the values are: `life expectancy in years`. */
  readonly measure: string;
  /** What a category is: `country`, `year`, `month`. */
  readonly category: string;
  /** What a series is, where there are several. */
  readonly seriesIs: string;
  readonly categories: readonly string[];
  readonly series: readonly Series[];
}

/** Draws one table; the same random stream gives the same table. */
export type TableSource = (random: Random) => ChartTable;

const PACKAGE = 'vega-datasets';
const gapminderSchema = z.array(
  z.object({
    year: z.number(),
    country: z.string(),
    life_expect: z.number(),
    fertility: z.number(),
  }),
);
const unemploymentSchema = z.array(
  z.object({ series: z.string(), year: z.number(), rate: z.number() }),
);

/** @throws OneVisionError 'data' when the package is not here or not as expected */
export function openTables(): readonly TableSource[] {
  return [gapminder(), electricity(), weather(), unemployment()];
}

function gapminder(): TableSource {
  const rows = readPackageJson(PACKAGE, 'data/gapminder.json', gapminderSchema);
  const countries = distinct(rows.map(({ country }) => country));
  const years = distinct(rows.map(({ year }) => year));
  const byKey = new Map(rows.map((row) => [`${row.country}/${row.year}`, row]));
  return (random) => {
    const [field, measure] = random.pick([
      ['life_expect', 'life expectancy in years'],
      ['fertility', 'number of children per woman'],
    ] as const);
    const amountOf = (country: string, year: number): number =>
      rounded(byKey.get(`${country}/${year}`)?.[field] ?? 0);
    const shuffled = random.shuffle(countries);
    const common = { measure, seriesIs: 'country' };
    if (random.next() < 0.5) {
      const year = random.pick(years);
      const shown = shuffled.slice(0, 5 + random.int(4));
      const values = shown.map((country) => amountOf(country, year));
      const title = `${capital(measure)}, ${year}`;
      const series = [{ name: String(year), values }];
      return { ...common, title, category: 'country', categories: shown, series };
    }
    const series = shuffled.slice(0, 1 + random.int(3)).map((country) => ({
      name: country,
      values: years.map((year) => amountOf(country, year)),
    }));
    const title = capital(measure) + (series.length === 1 ? `: ${series[0]?.name}` : '');
    return { ...common, title, category: 'year', categories: years.map(String), series };
  };
}

function electricity(): TableSource {
  const rows = readPackageCsv(PACKAGE, 'data/iowa-electricity.csv');
  const years = distinct(rows.map((row) => (row['year'] ?? '').slice(0, 4)));
  const sources = distinct(rows.map((row) => row['source'] ?? ''));
  const byKey = new Map(
    rows.map((row) => [
      `${row['source']}/${row['year']?.slice(0, 4)}`,
      Number(row['net_generation']),
    ]),
  );
  return (random) => {
    const length = 5 + random.int(5);
    const categories = years.slice(random.int(years.length - length + 1)).slice(0, length);
    const shown = random.shuffle(sources).slice(0, 1 + random.int(sources.length));
    const series = shown.map((name) => ({
      name,
      values: categories.map((year) => rounded((byKey.get(`${name}/${year}`) ?? 0) / 1000)),
    }));
    const measure = 'electricity in terawatt hours';
    const title = `Iowa's ${measure}${series.length === 1 ? `: ${shown[0]}` : ''}`;
    return { title, measure, category: 'year', seriesIs: 'source', categories, series };
  };
}

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

function weather(): TableSource {
  const rows = readPackageCsv(PACKAGE, 'data/seattle-weather.csv');
  const years = distinct(rows.map((row) => (row['date'] ?? '').slice(0, 4)));
  return (random) => {
    const [field, measure] = random.pick([
      ['temp_max', 'mean daily high in °C'],
      ['precipitation', 'precipitation in mm'],
    ] as const);
    const amountOf = (year: string, month: number): number => {
      const prefix = `${year}-${String(month + 1).padStart(2, '0')}-`;
      const days = rows.filter((row) => row['date']?.startsWith(prefix) === true);
      const sum = days.reduce((total, row) => total + Number(row[field]), 0);
      return rounded(field === 'temp_max' ? sum / Math.max(1, days.length) : sum);
    };
    const from = random.pick([0, 3, 6]);
    const months = Array.from({ length: 6 }, (_, place) => from + place);
    const shown = random
      .shuffle(years)
      .slice(0, 1 + random.int(2))
      .sort();
    const series = shown.map((name) => ({
      name,
      values: months.map((month) => amountOf(name, month)),
    }));
    const categories = months.map((month) => MONTHS[month] ?? '');
    const title = `Seattle: ${measure}${series.length === 1 ? `, ${shown[0]}` : ''}`;
    return { title, measure, category: 'month', seriesIs: 'year', categories, series };
  };
}

function unemployment(): TableSource {
  const rows = readPackageJson(
    PACKAGE,
    'data/unemployment-across-industries.json',
    unemploymentSchema,
  );
  const industries = distinct(rows.map(({ series }) => series));
  const perYear = Map.groupBy(rows, ({ year }) => year);
  const fullest = Math.max(...[...perYear.values()].map((all) => all.length));
  const years = [...perYear].filter(([, all]) => all.length === fullest).map(([year]) => year);
  const amountOf = (name: string, year: number): number => {
    const rates = (perYear.get(year) ?? []).filter(({ series }) => series === name);
    return rounded(rates.reduce((sum, { rate }) => sum + rate, 0) / Math.max(1, rates.length));
  };
  const measure = 'unemployment in per cent';
  return (random) => {
    const shuffled = random.shuffle(industries);
    if (random.next() < 0.5) {
      const year = random.pick(years);
      const categories = shuffled.slice(0, 5 + random.int(3));
      const values = categories.map((name) => amountOf(name, year));
      const series = [{ name: String(year), values }];
      const title = `US ${measure}, ${year}`;
      return { title, measure, category: 'industry', seriesIs: 'year', categories, series };
    }
    const series = shuffled
      .slice(0, 1 + random.int(3))
      .map((name) => ({ name, values: years.map((year) => amountOf(name, year)) }));
    const title = `US ${measure}${series.length === 1 ? `: ${series[0]?.name}` : ''}`;
    const categories = years.map(String);
    return { title, measure, category: 'year', seriesIs: 'industry', categories, series };
  };
}

/** One decimal: what the eye can read off and a label shows. */
function rounded(value: number): number {
  return Math.round(value * 10) / 10;
}

function distinct<T>(values: readonly T[]): T[] {
  return [...new Set(values)];
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
