// A task for the tests of this folder: writes a file a shard, and fails or dies where it is told.
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import * as z from 'zod';
import type { ShardTask } from './task.ts';

const configSchema = z.strictObject({
  output: z.string(),
  /** Shards that throw as long as `<output>/allow` is missing. */
  fails: z.array(z.string()).default([]),
  /** Shards that kill their process the first time. */
  dies: z.array(z.string()).default([]),
  /** Shards that wait for `<output>/go`, after they left their process number in `at-<shard>`. */
  waits: z.array(z.string()).default([]),
});

export const task: ShardTask = {
  open: (config) => {
    const { output, fails, dies, waits } = configSchema.parse(config);
    return {
      run: async (shard) => {
        const scar = join(output, `died-${shard}`);
        if (dies.includes(shard) && !existsSync(scar)) {
          writeFileSync(scar, '');
          process.kill(process.pid, 'SIGKILL');
          await new Promise(() => undefined);
        }
        if (waits.includes(shard)) {
          writeFileSync(join(output, `at-${shard}`), String(process.pid));
          while (!existsSync(join(output, 'go'))) await sleep(20);
        }
        if (fails.includes(shard) && !existsSync(join(output, 'allow'))) {
          throw new Error(`no bread for ${shard}`);
        }
        writeFileSync(join(output, `${shard}.out`), shard.toUpperCase(), { flag: 'wx' });
        return { length: shard.length };
      },
    };
  },
};
