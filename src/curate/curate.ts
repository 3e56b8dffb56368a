// Curation: survey → decide → write. Filters, deduplication, concepts, balancing; one ledger row an
// input. Two passes over the images; memory for a few bytes of each sample.
import { existsSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Cluster } from '../cluster/run-shards.ts';
import { OneVisionError } from '../core/errors.ts';
import { ensureFolder, sha256File, sweepTemporary } from '../core/files.ts';
import { type Logger, log as processLog } from '../core/log.ts';
import { type ConceptCount, writeConceptTable } from '../sample/concept-table.ts';
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
import type { Source, SourceSpec } from '../sample/sources/source.ts';
import { type CurateConfig, type CurateInput, curateSchema } from './config.ts';
import { decide } from './decide/decide.ts';
import type { ConceptCounts } from './decide/draw.ts';
import { createFilters } from './filters/index.ts';
import { summarise } from './report/figures.ts';
import { reportLines } from './report/lines.ts';
import { type Report, writeReport } from './report/report-file.ts';
import { hashSurvey, type SurveySpec } from './survey/settings.ts';
import { type SurveyTable, spillFolder, survey, workFolder } from './survey/survey.ts';
import { ledgerRows, STAGE } from './write/ledger-rows.ts';
import { writeKept } from './write/write.ts';

export interface CurateOptions {
  /** A folder or file in any format of `sample/sources`. */
  readonly input: string | SourceSpec;
  /**
   * Gets `train-*.tar`, `val-*`, `test-*`, `heldout-*`, ledger, concept table, report, manifest, and
   * the rows of the survey as parquet: with other thresholds no image is looked at again.
   */
  readonly output: string;
  readonly config?: CurateInput;
  /** Concepts in place of the embedded list. */
  readonly lemmas?: readonly string[];
  /** Processes; the result does not depend on it. Default 1: this one. */
  readonly workers?: number;
  /** Where the shards are treated; default: this machine. */
  readonly cluster?: Cluster | undefined;
  readonly log?: Logger;
}

const VERSION = 'curate/3';

/**
 * Curate the samples of a folder. Done already with the same settings and input: returns at once.
 * Killed: goes on with the shards that are not finished; the result is the same to the byte.
 *
 * @throws OneVisionError 'data' for an empty input, too many unreadable samples, or when nothing is
 * left to train on.
 */
export async function curate(options: CurateOptions): Promise<Manifest> {
  const { output, lemmas, workers = 1, cluster, log = processLog } = options;
  const config = curateSchema.parse(options.config ?? {});
  const input = await openSource(options.input);
  const others = await otherHashes(config);
  const configHash = hashConfig(VERSION, config, input.hash, others, lemmas ?? null);
  if (isComplete(output, configHash)) {
    removeWork(output); // a kill may have come between the manifest and this
    sweepTemporary(output);
    return readManifest(output);
  }
  ensureFolder(output);
  sweepTemporary(output);
  rmSync(join(output, MANIFEST), { force: true });
  const surveyHash = hashSurvey(input.hash, others, { config, lemmas });
  const folder = join(output, `survey-${surveyHash}`);
  removeStale(output, [folder, join(output, `write-${configHash}`)]);
  const spec: SurveySpec = { input: input.spec, folder, config, lemmas };
  using table = await survey({
    input,
    spec,
    evaluation: config.filters.evaluation,
    workers,
    cluster,
    log,
  });
  const { decisions, concepts } = await decide(table, config);
  await checkErrors(table, config.maxSkipRate);
  const filters = createFilters(config.filters);
  const report = await summarise({ table, decisions, concepts, filters, input: input.spec });
  checkNotEmpty(input, report);
  const plan = join(output, `write-${configHash}`);
  const files = await writeKept({
    table,
    decisions,
    samplesPerShard: config.samplesPerShard,
    spec: { input: input.spec, survey: folder, plan, output },
    workers,
    cluster,
    log,
  });
  await writeLedger(join(output, LEDGER), ledgerRows(table, decisions, filters, configHash));
  await writeConceptTable(output, conceptTable(concepts));
  await writeReport(output, report);
  const manifest = toManifest(report, files, configHash, config);
  await writeManifest(output, manifest);
  removeWork(output);
  for (const line of reportLines(report, concepts)) log.info(line);
  return manifest;
}

/** What the settings name and do not hold: concept list, evaluation sets, modules of one's own. */
async function otherHashes({ filters, concepts, embedder }: CurateConfig): Promise<string[]> {
  const hashes = concepts.list === null ? [] : [readManifest(concepts.list).configHash];
  const modules = filters.hooks.map((hook) => hook.module);
  for (const module of embedder === null ? modules : [...modules, embedder]) {
    if (existsSync(module)) hashes.push(await sha256File(module));
  }
  for (const folder of filters.evaluation) hashes.push((await openSource(folder)).hash);
  return hashes;
}

/** Of a curation that is done: the tables of the survey stay, for other thresholds. */
function removeWork(output: string): void {
  for (const name of readdirSync(output)) {
    const path = join(output, name);
    const isSurvey = /^survey-[0-9a-f]+$/.test(name);
    const done = isSurvey ? [workFolder(path), spillFolder(path)] : [];
    if (/^write-[0-9a-f]+$/.test(name)) done.push(path);
    for (const folder of done) rmSync(folder, { recursive: true, force: true });
  }
}

/** Work of other settings goes; the survey of this input stays as long as it fits. */
function removeStale(output: string, kept: readonly string[]): void {
  for (const name of readdirSync(output)) {
    const path = join(output, name);
    if (/^(survey|write)-[0-9a-f]+$/.test(name) && !kept.includes(path)) {
      rmSync(path, { recursive: true, force: true });
    }
  }
}

async function checkErrors(table: SurveyTable, maxRate: number): Promise<void> {
  const skips = createSkipCounter({ maxRate });
  for await (const rows of table.query('SELECT uid, error FROM survey')) {
    for (const { uid, error } of rows as readonly { uid: string; error: string | null }[]) {
      if (error === null) skips.good();
      else skips.skip(uid, error);
    }
  }
  skips.check();
}

function checkNotEmpty(input: Source, { stages, funnel, numInput }: Report): void {
  if (stages.balanced.samples > 0) return;
  const found = funnel.map(({ reason, count }) => `${count} × ${reason}`);
  throw new OneVisionError(
    'data',
    `Expected training samples to be left of ${input.spec.path}, got none of ${numInput} ` +
      `(${found.join(', ') || 'the shards are empty'}).`,
    { hint: 'loosen the filters of the recipe, or check that the input is the right folder' },
  );
}

function conceptTable({ names, raw, clean, balanced }: ConceptCounts): Map<string, ConceptCount> {
  const table = new Map<string, ConceptCount>();
  for (const [id, name] of names.entries()) {
    if (raw[id] === 0) continue;
    const [all, left, drawn] = [raw[id] ?? 0, clean[id] ?? 0, balanced[id] ?? 0];
    table.set(name, { raw: all, clean: left, balanced: drawn });
  }
  return table;
}

function toManifest(
  report: Report,
  files: Manifest['files'],
  configHash: string,
  config: CurateConfig,
): Manifest {
  const counts: Record<string, number> = { input: report.numInput, samples: report.numWritten };
  for (const { name, count } of files) {
    const side = name.slice(0, name.lastIndexOf('-'));
    counts[side] = (counts[side] ?? 0) + count;
  }
  const { raw, clean, balanced } = report.stages;
  return {
    format: 'onevision/1',
    kind: 'samples',
    stage: STAGE,
    configHash,
    counts,
    files,
    stats: {
      funnel: Object.fromEntries(report.funnel.map(({ reason, count }) => [reason, count])),
      raw: { ...raw.statistics },
      clean: { ...clean.statistics },
      balanced: { ...balanced.statistics },
      balance: JSON.parse(JSON.stringify(config.balance)),
      seed: config.seed,
    },
  };
}
