// What a survey depends on: everything that scores are measured against, and no threshold. Other
// thresholds need no new survey.
import * as z from 'zod';
import { hashConfig } from '../../sample/manifest.ts';
import { type SourceSpec, sourceSpecSchema } from '../../sample/sources/source.ts';
import { type CurateConfig, type CurateInput, curateSchema } from '../config.ts';

/** Config of the survey task, as JSON. */
export interface SurveySpec {
  readonly input: SourceSpec;
  /** Where the rows go, one parquet file a shard. */
  readonly folder: string;
  readonly config: CurateInput;
  /** Concepts in place of the embedded list. */
  readonly lemmas?: readonly string[] | undefined;
}

export interface ParsedSpec extends SurveySpec {
  readonly config: CurateConfig;
}

export const surveySpecSchema: z.ZodType<ParsedSpec, SurveySpec> = z.strictObject({
  input: sourceSpecSchema,
  folder: z.string(),
  config: curateSchema,
  lemmas: z.array(z.string()).optional(),
});

const VERSION = 'survey/4';

/** Equal for surveys with the same rows. `inputHash` and `otherHashes` name the contents. */
export function hashSurvey(
  inputHash: string,
  otherHashes: readonly string[],
  { config, lemmas }: Pick<SurveySpec, 'lemmas'> & { readonly config: CurateConfig },
): string {
  const { filters, dedup, concepts, embedder } = config;
  const { maxPixels, exclude, boilerplate, languages, maxEvaluationHamming } = filters;
  return hashConfig(VERSION, inputHash, otherHashes, lemmas ?? null, concepts, {
    maxPixels,
    exclude,
    boilerplate,
    languages,
    maxEvaluationHamming,
    hooks: filters.hooks.map(({ name, module }) => [name, module]),
    embedder,
    tiling: wantsTiling(config),
    hashes: dedup.keepLookAlikes,
    signatures: wantsSignatures(config),
  });
}

/** Whether patterns of stamps are looked for. */
export function wantsTiling({ filters }: CurateConfig): boolean {
  return filters.maxWatermark < 1;
}

/** Whether captions get a MinHash signature. */
export function wantsSignatures({ dedup }: CurateConfig): boolean {
  return dedup.minTextOverlap !== null;
}
