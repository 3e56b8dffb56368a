// Curation: survey → decide → write. Filters, deduplication, concepts, balancing; one ledger row an
// input. Two passes over the images, memory for a small row of each sample.
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { OneVisionError } from '../core/errors.ts';
import { ensureFolder, sweepTemporary } from '../core/files.ts';
import { type Logger, log as processLog } from '../core/log.ts';
import { writeConceptTable } from '../sample/concept-table.ts';
import { LEDGER, writeLedger } from '../sample/ledger.ts';
import {
  hashConfig,
  isComplete,
  MANIFEST,
  type Manifest,
  readManifest,
  writeManifest,
} from '../sample/manifest.ts';
import { createSkipCounter } from '../sample/skips.ts';
import { openSource } from '../sample/sources/open.ts';
import type { SourceSpec } from '../sample/sources/source.ts';
import type { ShardFile } from '../sample/webdataset.ts';
import type { ConceptList } from './concepts/concept-list.ts';
import { loadConceptList } from './concepts/load.ts';
import { type CurateConfig, type CurateInput, curateSchema } from './config.ts';
import { type Decision, decide } from './decide.ts';
import { type CurationReport, reportCuration } from './report.ts';
import { readSurvey, survey } from './survey.ts';
import { writeKept } from './write.ts';

export interface CurateOptions {
  /** A folder or file in any format of `sample/sources`. */
  readonly input: string | SourceSpec;
  /** Gets `train-*.tar`, `val-*`, `test-*`, `heldout-*`, ledger, concept table, manifest. */
  readonly output: string;
  readonly config?: CurateInput;
  /** Where the concepts come from; default the embedded packages. */
  readonly concepts?: ConceptList;
  readonly log?: Logger;
}

const STAGE = 'curate';

/**
 * Curate the samples of a folder. Done already with the same settings and input: returns at once.
 * Killed: goes on at the first shard without a survey; the result is the same to the byte.
 *
 * @throws OneVisionError 'data' for an empty input, too many unreadable samples, or when nothing is
 * left to train on.
 */
export async function curate(options: CurateOptions): Promise<Manifest> {
  const { output, log = processLog } = options;
  const config = curateSchema.parse(options.config ?? {});
  const input = await openSource(options.input);
  const configHash = hashConfig('curate/1', config, input.hash, options.concepts?.version ?? null);
  if (isComplete(output, configHash)) return readManifest(output);
  ensureFolder(output);
  sweepTemporary(output);
  rmSync(join(output, MANIFEST), { force: true });
  const list = options.concepts ?? loadConceptList(config.concepts);
  const { keepLookAlikes } = config.dedup;
  const surveyHash = hashConfig(
    input.hash,
    config.concepts,
    list.version,
    list.size,
    keepLookAlikes,
  );
  const folder = join(output, `survey-${surveyHash}`);
  ensureFolder(folder);
  sweepTemporary(folder);
  const unhashed = new Set(keepLookAlikes);
  await survey({ input, folder, list, rollUp: config.concepts.rollUp, unhashed });
  const decisions = await decide(() => readSurvey(input, folder), config);
  checkErrors(decisions, config.maxSkipRate);
  const report = reportCuration(decisions);
  checkNotEmpty(decisions, input.spec.path, report);
  const files = await writeKept(input, output, decisions, config.samplesPerShard);
  await writeLedger(join(output, LEDGER), ledgerRows(decisions, configHash));
  await writeConceptTable(output, report.concepts);
  const manifest = toManifest(report, files, configHash, config, list);
  await writeManifest(output, manifest);
  rmSync(folder, { recursive: true, force: true });
  for (const line of report.lines) log.info(line);
  return manifest;
}

function checkErrors(decisions: readonly Decision[], maxRate: number): void {
  const skips = createSkipCounter({ maxRate });
  for (const { verdict, uid, reason } of decisions) {
    if (verdict === 'error') skips.skip(uid, reason);
    else skips.good();
  }
  skips.check();
}

function checkNotEmpty(
  decisions: readonly Decision[],
  input: string,
  report: CurationReport,
): void {
  if (decisions.some((decision) => decision.isTraining && decision.copies > 0)) return;
  const found = Object.entries(report.funnel).map(([name, count]) => `${count} × ${name}`);
  throw new OneVisionError(
    'data',
    `Expected training samples to be left of ${input}, got none of ${decisions.length} ` +
      `(${found.join(', ') || 'the shards are empty'}).`,
    { hint: 'loosen the filters of the recipe, or check that the input is the right folder' },
  );
}

function* ledgerRows(decisions: readonly Decision[], configHash: string) {
  for (const { uid, verdict, reason, score, parent } of decisions) {
    yield { uid, stage: STAGE, verdict, reason, score, parent, configHash };
  }
}

function toManifest(
  report: CurationReport,
  files: readonly ShardFile[],
  configHash: string,
  config: CurateConfig,
  list: ConceptList,
): Manifest {
  const counts: Record<string, number> = { input: report.numInput, samples: report.numWritten };
  for (const { name, count } of files) {
    const side = name.slice(0, name.lastIndexOf('-'));
    counts[side] = (counts[side] ?? 0) + count;
  }
  return {
    format: 'onevision/1',
    kind: 'samples',
    stage: STAGE,
    configHash,
    counts,
    files,
    stats: {
      funnel: report.funnel,
      raw: { ...report.raw },
      clean: { ...report.clean },
      balanced: { ...report.balanced },
      conceptListSize: list.size,
      balance: { ...config.balance },
      seed: config.seed,
    },
  };
}
