// Third step: the kept samples as shards by side of the split, the work shared by processes.
import { join } from 'node:path';
import type { Cluster } from '../../cluster/run-shards.ts';
import { ensureFolder, removeOthers, sweepTemporary } from '../../core/files.ts';
import type { Logger } from '../../core/log.ts';
import { type ManifestFile, manifestFileSchema } from '../../sample/manifest.ts';
import type { Decisions } from '../decide/decisions.ts';
import { runWithProgress } from '../run-with-progress.ts';
import { SIDES } from '../survey/row.ts';
import type { SurveyTable } from '../survey/survey.ts';
import { planShards } from './plan.ts';
import { writePlan } from './planned-shard.ts';
import type { WriteSpec } from './write-task.ts';

export interface WriteOptions {
  readonly table: SurveyTable;
  readonly decisions: Decisions;
  readonly samplesPerShard: number;
  /** Where the samples are and go; `plan` lies in a folder named after the settings. */
  readonly spec: WriteSpec;
  readonly workers: number;
  readonly cluster?: Cluster | undefined;
  readonly log: Logger;
}

const SHARD = new RegExp(`^(${SIDES.join('|')})-\\d{6}\\.tar$`);
const MODULE = new URL('./write-task.ts', import.meta.url).href;

/**
 * Write the kept samples in input order; a sample drawn n times comes n times in a row, as `uid`,
 * `uid#2`, …. Shards of an earlier curation into the folder go.
 *
 * @returns the shards, by name.
 */
export async function writeKept(options: WriteOptions): Promise<ManifestFile[]> {
  const { table, decisions, samplesPerShard, spec, workers, cluster, log } = options;
  ensureFolder(spec.plan);
  sweepTemporary(spec.plan);
  const names: string[] = [];
  for await (const shard of planShards(table, decisions, samplesPerShard)) {
    await writePlan(spec.plan, shard);
    names.push(shard.name);
  }
  const dir = join(spec.plan, 'work');
  names.sort();
  const task = { name: 'write', module: MODULE, config: spec, shards: names };
  const results = await runWithProgress(task, { dir, workers, cluster, log });
  removeOthers(spec.output, SHARD, new Set(names));
  return results.map((result) => manifestFileSchema.parse(result));
}
