// Builds a concept list: labels of the corpus, WordNet's nouns, pairs of words that belong together,
// words that people use. In this order; what comes first keeps its place when the list is cut.
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { OneVisionError } from '../../../core/errors.ts';
import { ensureFolder, sha256File, sweepTemporary } from '../../../core/files.ts';
import { type Logger, log as processLog } from '../../../core/log.ts';
import { createProgress } from '../../../core/progress.ts';
import {
  hashConfig,
  isComplete,
  MANIFEST,
  type Manifest,
  readManifest,
  writeManifest,
} from '../../../sample/manifest.ts';
import { repliesOf, type Sample } from '../../../sample/sample.ts';
import { openSource } from '../../../sample/sources/open.ts';
import { readSource, type Source } from '../../../sample/sources/source.ts';
import type { ConceptConfig } from '../../config.ts';
import { CONCEPT_LIST, type ConceptEntry, type Origin, writeConceptList } from '../list-file.ts';
import { loadWords, physicalNouns, type WordSources } from '../nouns.ts';
import { createBigramCounter } from './bigrams.ts';
import { conceptName, createLabelCounter, type LabelCount } from './labels.ts';
import { hashTranslations, readTranslations } from './translations.ts';

export interface BuildConfig extends Pick<ConceptConfig, 'minSpoken' | 'maxRank' | 'numSenses'> {
  /** Concepts at most. */
  readonly maxConcepts: number;
  /** `physical`: nouns that can be drawn (see ConceptConfig); `all`: every noun; `none`. */
  readonly nouns: 'physical' | 'all' | 'none';
  /** Words by popularity that are added, the most popular first; 0 for none. */
  readonly numWords: number;
  /** A label or tag counts when the corpus has it this often. */
  readonly minLabelCount: number;
  readonly minBigramCount: number;
  /** Bits; see bigrams.ts. */
  readonly minPmi: number;
}

export const BUILD_DEFAULTS: BuildConfig = {
  maxConcepts: 500_000,
  nouns: 'physical',
  numWords: 0,
  minLabelCount: 2,
  minBigramCount: 5,
  minPmi: 6,
  minSpoken: 5,
  maxRank: 50_000,
  numSenses: 2,
};

export interface BuildOptions {
  /** Samples whose labels and captions are read; a list without a corpus has words only. */
  readonly input?: string | undefined;
  readonly output: string;
  readonly config?: Partial<BuildConfig>;
  /**
   * What concepts are called in other languages: a file of JSON lines {name, language, label}, or
   * `emoji` for the names of emojibase.
   */
  readonly translations?: string | undefined;
  /** Default: the embedded packages. */
  readonly words?: WordSources;
  readonly log?: Logger;
}

/**
 * Build a list; does nothing when the same one is there.
 * @throws OneVisionError 'data' for an input that is no source, or when no concept is found.
 */
export async function buildConcepts(options: BuildOptions): Promise<Manifest> {
  const { output, translations, log = processLog } = options;
  const config: BuildConfig = { ...BUILD_DEFAULTS, ...options.config };
  const source = options.input === undefined ? undefined : await openSource(options.input);
  const translated = translations === undefined ? '' : await hashTranslations(translations);
  const configHash = hashConfig('concepts/1', config, source?.hash ?? '', translated);
  if (isComplete(output, configHash)) return readManifest(output);
  ensureFolder(output);
  sweepTemporary(output);
  rmSync(join(output, MANIFEST), { force: true });
  const entries = await collect(options, config, source);
  if (entries.length === 0) {
    throw new OneVisionError('data', `expected concepts for ${output}, found none`, {
      hint: 'lower --min-label-count, or take nouns (--nouns physical)',
    });
  }
  const file = await writeConceptList(output, entries);
  const sha256 = await sha256File(join(output, CONCEPT_LIST));
  const counts = countOrigins(entries);
  const manifest: Manifest = {
    format: 'onevision/1',
    kind: 'concepts',
    stage: 'concepts',
    configHash,
    counts: { concepts: entries.length, ...counts },
    files: [{ ...file, sha256 }],
    stats: { config: { ...config } },
  };
  await writeManifest(output, manifest);
  log.info(`${entries.length} concepts in ${output}`, counts);
  return manifest;
}

async function collect(
  { translations, words }: BuildOptions,
  config: BuildConfig,
  source: Source | undefined,
): Promise<ConceptEntry[]> {
  const { labels, bigrams } = await readCorpus(source);
  const isFrequent = (count: number): boolean => count >= config.minLabelCount;
  const found = new Map<string, ConceptEntry>();
  const add = (name: string, from: Origin, count: number, pmi?: number): void => {
    if (found.has(name) || found.size >= config.maxConcepts) return;
    found.set(name, { name, from, count, pmi });
  };
  const byCount = [...labels].sort((a, b) => b[1].count - a[1].count || (a[0] < b[0] ? -1 : 1));
  for (const [name, { count }] of byCount) if (isFrequent(count)) add(name, 'label', count);
  const needsWords = config.nouns !== 'none' || config.numWords > 0;
  const sources = needsWords ? (words ?? loadWords()) : undefined;
  for (const noun of nounsOf(sources, config)) {
    if (conceptName(noun) === noun) add(noun, 'wordnet', labels.get(noun)?.count ?? 0);
  }
  for (const { name, count, pmi } of bigrams.take(config.minBigramCount, config.minPmi)) {
    add(name, 'bigram', count, Math.round(pmi * 1000) / 1000);
  }
  for (const word of sources?.use.popular.slice(0, config.numWords) ?? []) {
    const name = conceptName(word);
    if (name !== undefined && name.length > 2) add(name, 'word', labels.get(name)?.count ?? 0);
  }
  const extra = new Map(labels);
  if (translations !== undefined) await readTranslations(translations, extra);
  return [...found.values()].map((entry) => withLabels(entry, extra.get(entry.name)));
}

function nounsOf(sources: WordSources | undefined, config: BuildConfig): Iterable<string> {
  if (sources === undefined || config.nouns === 'none') return [];
  const { wordnet, use } = sources;
  if (config.nouns === 'all') return wordnet.senses.keys();
  return physicalNouns(wordnet, use, config).keys();
}

async function readCorpus(source: Source | undefined) {
  const labels = createLabelCounter();
  const bigrams = createBigramCounter();
  using progress = createProgress({ label: 'concepts: read', unit: 'samples' });
  if (source !== undefined) {
    for await (const { sample } of readSource(source)) {
      progress.increment();
      if (sample === undefined) continue;
      labels.add(sample);
      bigrams.add(textOf(sample));
    }
  }
  return { labels: labels.labels, bigrams };
}

function textOf(sample: Sample): string {
  const { meta } = sample;
  if (typeof meta['label'] === 'string') {
    const tags = Array.isArray(meta['tags']) ? meta['tags'].map(String) : [];
    return [meta['label'], ...tags, String(meta['description'] ?? '')].join(' . ');
  }
  return repliesOf(sample).join(' . ');
}

/** The entry with its names in other languages, the most frequent first. */
function withLabels(entry: ConceptEntry, count: LabelCount | undefined): ConceptEntry {
  if (count === undefined || count.translations.size === 0) return entry;
  const languages = [...count.translations].sort(([a], [b]) => (a < b ? -1 : 1));
  const labels = languages.map(([language, names]) => {
    const sorted = [...names].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1));
    return [language, sorted.map(([name]) => name)];
  });
  return { ...entry, labels: Object.fromEntries(labels) };
}

function countOrigins(entries: readonly ConceptEntry[]): Record<string, number> {
  const counts: Record<string, number> = {};
  const languages = new Set<string>();
  for (const { from, labels } of entries) {
    counts[from] = (counts[from] ?? 0) + 1;
    for (const language of Object.keys(labels ?? {})) languages.add(language);
  }
  return { ...counts, languages: languages.size };
}
