// What a survey measures with, opened once a process: concept list, filters, language detector,
// scorers and embedder of others, the index of evaluation sets.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { type ConceptList, conceptList } from '../concepts/concept-list.ts';
import { loadConceptList } from '../concepts/load.ts';
import type { CurateConfig } from '../config.ts';
import { createSigner } from '../dedup/minhash.ts';
import type { Embedder } from '../embed/embedder.ts';
import { openEmbedderModule } from '../embed/open-embedder.ts';
import type { Filter } from '../filters/filter.ts';
import { openHook, type ScorePicture } from '../filters/hooks.ts';
import { createFilters } from '../filters/index.ts';
import { type EvaluationIndex, readEvaluationIndex } from './evaluation-index.ts';
import { type Languages, openLanguages } from './languages.ts';
import { type ParsedSpec, wantsSignatures, wantsTiling } from './settings.ts';

export interface Instruments {
  readonly config: CurateConfig;
  readonly list: ConceptList;
  readonly filters: readonly Filter[];
  readonly languages: (text: string) => Languages;
  readonly hooks: readonly (readonly [name: string, score: ScorePicture])[];
  readonly evaluation: EvaluationIndex | null;
  readonly embedder: Embedder | null;
  readonly tiling: boolean;
  /** Null when captions are not compared. */
  readonly sign: ((text: string) => Uint32Array) | null;
}

/** The file that holds the index of evaluation sets, in the folder of the survey. */
export function evaluationFile(folder: string): string {
  return join(folder, 'evaluation.json');
}

/** @throws OneVisionError when the concept packages or the module of a scorer are missing. */
export async function openInstruments(spec: ParsedSpec): Promise<Instruments> {
  const { config, folder, lemmas } = spec;
  const index = evaluationFile(folder);
  const evaluation = existsSync(index)
    ? readEvaluationIndex(index, config.filters.maxEvaluationHamming)
    : null;
  const hooks: [string, ScorePicture][] = [];
  for (const hook of config.filters.hooks) hooks.push([hook.name, await openHook(hook)]);
  return {
    config,
    list: lemmas === undefined ? loadConceptList(config.concepts) : listOf(lemmas),
    filters: createFilters(config.filters, evaluation),
    languages: await openLanguages(),
    hooks,
    evaluation,
    embedder: config.embedder === null ? null : await openEmbedder(config.embedder),
    tiling: wantsTiling(config),
    sign: wantsSignatures(config) ? createSigner() : null,
  };
}

function listOf(lemmas: readonly string[]): ConceptList {
  return conceptList(
    lemmas.map((name) => ({ name })),
    { version: 'lemmas' },
  );
}

async function openEmbedder(module: string): Promise<Embedder> {
  return await (await openEmbedderModule(module)).open();
}
