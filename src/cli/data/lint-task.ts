// Lint as a task of the shared contract: one shard of a source, one file of ledger rows.
import * as z from 'zod';
import type { ShardTask } from '../../cluster/task.ts';
import { ensureFolder } from '../../core/files.ts';
import { shardLedger, writeLedger } from '../../sample/ledger.ts';
import { lintShard } from '../../sample/lint.ts';
import { openSource } from '../../sample/sources/open.ts';
import { type SourceSpec, sourceSpecSchema } from '../../sample/sources/source.ts';

export interface LintConfig {
  readonly source: SourceSpec;
  /** Folder of the rows. */
  readonly rows: string;
}

const configSchema: z.ZodType<LintConfig> = z.strictObject({
  source: sourceSpecSchema,
  rows: z.string(),
});

export const task: ShardTask = {
  open: async (given) => {
    const { source: spec, rows } = configSchema.parse(given);
    const source = await openSource(spec);
    const byName = new Map(source.shards.map((shard) => [shard.name, shard]));
    ensureFolder(rows);
    return {
      run: async (name) => {
        const shard = byName.get(name);
        if (shard === undefined) throw new Error(`no shard ${name} in ${spec.path}`);
        return { numRows: await writeLedger(shardLedger(rows, name), lintShard(source, shard)) };
      },
    };
  },
};
