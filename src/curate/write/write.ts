// Third step: the kept samples as shards by side of the split, the work shared by processes.
import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import * as z from 'zod';
import type { Cluster } from '../../cluster/run-shards.ts';
import { ensureFolder, sweepTemporary, writeFileAtomic } from '../../core/files.ts';
import type { Logger } from '../../core/log.ts';
import type { ManifestFile } from '../../sample/manifest.ts';
import type { Decisions } from '../decide/decisions.ts';
import { runWithProgress } from '../run-with-progress.ts';
import { SIDES } from '../survey/row.ts';
import type { SurveyTable } from '../survey/survey.ts';
import { planShards } from './plan.ts';
import { planPath, type WriteSpec } from './write-task.ts';

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

const MODULE = new URL('./write-task.ts', import.meta.url).href;
const fileSchema: z.ZodType<ManifestFile> = z.strictObject({
  name: z.string(),
  bytes: z.int().nonnegative(),
  sha256: z.string(),
  count: z.int().nonnegative(),
});

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
    await writeFileAtomic(planPath(spec.plan, shard.name), JSON.stringify(shard));
    names.push(shard.name);
  }
  const dir = join(spec.plan, 'work');
  names.sort();
  const task = { name: 'write', module: MODULE, config: spec, shards: names };
  const results = await runWithProgress(task, { dir, workers, cluster, log });
  removeOthers(spec.output, new Set(names));
  return results.map((result) => fileSchema.parse(result));
}

function removeOthers(output: string, names: ReadonlySet<string>): void {
  const shard = new RegExp(`^(${SIDES.join('|')})-\\d{6}\\.tar$`);
  for (const name of readdirSync(output)) {
    if (shard.test(name) && !names.has(name)) rmSync(join(output, name));
  }
}
