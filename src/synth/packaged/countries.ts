// Countries with the names that an answer may use, from the package world-countries (ODbL).
import * as z from 'zod';
import { readPackageJson } from './read.ts';

export const COUNTRY_PACKAGE = 'world-countries';

export interface Country {
  /** ISO 3166: two letters, three letters, three digits. */
  readonly code: string;
  readonly code3: string;
  readonly numeric: string;
  /** The common name first, then every other spelling. */
  readonly names: readonly string[];
  readonly capitals: readonly string[];
  /** Africa, Americas, Asia, Europe, Oceania, Antarctic. */
  readonly region: string;
  /** km². */
  readonly area: number;
  /** Codes of three letters. */
  readonly neighbours: readonly string[];
}

const countrySchema = z.object({
  name: z.object({ common: z.string(), official: z.string() }),
  cca2: z.string(),
  cca3: z.string(),
  ccn3: z.string(),
  independent: z.boolean().nullish(),
  capital: z.array(z.string()),
  altSpellings: z.array(z.string()),
  region: z.string(),
  area: z.number(),
  borders: z.array(z.string()),
});

/** Independent countries by their code. @throws OneVisionError 'data' without the package */
export function readCountries(): Country[] {
  const rows = readPackageJson(COUNTRY_PACKAGE, 'countries.json', z.array(countrySchema));
  return rows
    .filter(({ independent, capital }) => independent === true && capital.length > 0)
    .map((row) => ({
      code: row.cca2,
      code3: row.cca3,
      numeric: row.ccn3,
      names: spellings([
        row.name.common,
        row.name.official,
        ...row.altSpellings.filter((spelling) => spelling !== row.cca2),
      ]),
      capitals: spellings(row.capital),
      region: row.region,
      area: row.area,
      neighbours: row.borders,
    }))
    .sort((a, b) => (a.code < b.code ? -1 : 1));
}

/** Each with and without its accents, once. */
function spellings(names: readonly string[]): string[] {
  const plain = names.map((name) => name.normalize('NFD').replace(/\p{M}/gu, ''));
  return [...new Set([...names, ...plain])];
}
