// The regions that maps are asked about, by name: countries of the world and states of the USA.
import * as z from 'zod';
import { COUNTRY_PACKAGE, readCountries } from '../countries.ts';
import { readPackageCsv, readPackageJson } from '../read.ts';
import { type Region, readRegions, ringArea } from './topology.ts';

const TABLES = 'vega-datasets';
export const MAP_PACKAGES: readonly string[] = [TABLES, COUNTRY_PACKAGE];

export interface Place {
  readonly region: Region;
  readonly names: readonly string[];
  readonly capitals: readonly string[];
  /** Places with which it has a border on the map and in the tables. */
  readonly neighbours: readonly string[];
}

/** One map: all its regions, and those that have a name here. */
export interface Atlas {
  /** `country` or `state`. */
  readonly kind: string;
  readonly regions: readonly Region[];
  readonly places: readonly Place[];
}

/** Countries whose borders cross the map's edge or that are mere dots on it are not asked about. */
const MAX_WIDTH = 100;
const MIN_AREA = 0.6;

export function readWorld(): Atlas {
  const regions = readRegions(TABLES, 'data/world-110m.json', 'countries');
  const countries = readCountries();
  const byNumber = new Map(countries.map((country) => [Number(country.numeric), country]));
  const byCode = new Map(countries.map((country) => [country.code3, country]));
  const places = regions.filter(isDrawable).flatMap((region) => {
    const country = byNumber.get(Number(region.id));
    if (country === undefined) return [];
    const listed = country.neighbours.map((code) => Number(byCode.get(code)?.numeric ?? -1));
    const neighbours = [...region.touches].filter((id) => listed.includes(Number(id)));
    return [{ region, names: country.names, capitals: country.capitals, neighbours }];
  });
  return { kind: 'country', regions, places };
}

const capitalsSchema = z.array(z.object({ state: z.string(), city: z.string() }));
/** They lie far from the others, which would be small on one map with them. */
const FAR_STATES = ['Alaska', 'Hawaii', 'Puerto Rico'];

export function readStates(): Atlas {
  const ids = new Map(
    readPackageCsv(TABLES, 'data/population_engineers_hurricanes.csv').map((row) => [
      row['id'] ?? '',
      row['state'] ?? '',
    ]),
  );
  const cities = new Map(
    readPackageJson(TABLES, 'data/us-state-capitals.json', capitalsSchema).map((row) => [
      row.state,
      row.city,
    ]),
  );
  const regions = readRegions(TABLES, 'data/us-10m.json', 'states').filter(({ id }) => {
    const name = ids.get(id);
    return name !== undefined && !FAR_STATES.includes(name);
  });
  const shown = new Set(regions.map(({ id }) => id));
  const places = regions.flatMap((region) => {
    const name = ids.get(region.id) ?? '';
    const city = cities.get(name);
    const neighbours = [...region.touches].filter((id) => shown.has(id));
    return city === undefined ? [] : [{ region, names: [name], capitals: [city], neighbours }];
  });
  return { kind: 'state', regions, places };
}

function isDrawable({ rings }: Region): boolean {
  const longitudes = rings.flat().map(([x]) => x);
  const width = Math.max(...longitudes) - Math.min(...longitudes);
  return width < MAX_WIDTH && Math.max(...rings.map(ringArea)) > MIN_AREA;
}
