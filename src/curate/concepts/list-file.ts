// A concept list on disk: `concepts.jsonl`, one concept a line, and a manifest.
import { join } from 'node:path';
import * as z from 'zod';
import { OneVisionError } from '../../core/errors.ts';
import { createFileAtomic } from '../../core/files.ts';
import { readJsonlSync } from '../../core/jsonl.ts';
import { type ManifestFile, readManifest } from '../../sample/manifest.ts';
import { type ConceptList, conceptList } from './concept-list.ts';

export const CONCEPT_LIST = 'concepts.jsonl';

/** Where a concept comes from. */
export const ORIGINS = ['label', 'wordnet', 'bigram', 'word'] as const;
export type Origin = (typeof ORIGINS)[number];

export interface ConceptEntry {
  readonly name: string;
  readonly from: Origin;
  /** How often the corpus has it; for words of WordNet and frequency lists 0. */
  readonly count: number;
  /** Bits; of bigrams. */
  readonly pmi?: number | undefined;
  /** Language → names. */
  readonly labels?: Readonly<Record<string, readonly string[]>> | undefined;
}

const entrySchema: z.ZodType<ConceptEntry> = z.strictObject({
  name: z.string().min(1),
  from: z.enum(ORIGINS),
  count: z.number().int().nonnegative(),
  pmi: z.number().optional(),
  labels: z.record(z.string(), z.array(z.string()).readonly()).optional(),
});

/** Writes the entries; returns the file as a manifest names it, less its hash. */
export async function writeConceptList(
  dir: string,
  entries: readonly ConceptEntry[],
): Promise<Omit<ManifestFile, 'sha256'>> {
  await using file = await createFileAtomic(join(dir, CONCEPT_LIST));
  for (let at = 0; at < entries.length; at += 4096) {
    const lines = entries.slice(at, at + 4096).map((entry) => `${JSON.stringify(entry)}\n`);
    await file.write(lines.join(''));
  }
  await file.commit();
  return { name: CONCEPT_LIST, bytes: file.bytes, count: entries.length };
}

/** The entries of a list. @throws OneVisionError 'data' when it is not there or damaged. */
export function readConceptEntries(dir: string): ConceptEntry[] {
  const { kind, files } = readManifest(dir);
  const path = join(dir, CONCEPT_LIST);
  const entries = readJsonlSync(path).map((row, line) => {
    const parsed = entrySchema.safeParse(row);
    if (parsed.success) return parsed.data;
    throw new OneVisionError(
      'data',
      `expected a concept in ${path} line ${line + 1}:\n${z.prettifyError(parsed.error)}`,
      { hint: 'build the list again: onevision concepts build' },
    );
  });
  const expected = files.find((file) => file.name === CONCEPT_LIST)?.count;
  if (kind === 'concepts' && entries.length === expected) return entries;
  throw new OneVisionError(
    'data',
    `expected ${expected ?? 'a list of'} concepts in ${path}, came ${entries.length}`,
    { hint: 'build the list again: onevision concepts build' },
  );
}

/**
 * A list from its folder.
 * @throws OneVisionError 'data' when it is not there or damaged.
 */
export function loadConceptFolder(dir: string): ConceptList {
  const entries = readConceptEntries(dir);
  const maxWords = entries.reduce((most, { name }) => Math.max(most, name.split(' ').length), 3);
  const concepts = entries.map(({ name, labels = {} }) => ({ name, labels }));
  return conceptList(concepts, { version: readManifest(dir).configHash, maxWords });
}
