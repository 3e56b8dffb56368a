// The command of one rank: `node src/cluster/main.ts FOLDER RANK WORLD`. Ends with 1 when a shard
// failed, so that a scheduler sees it.
import { setImmediate } from 'node:timers/promises';
import { log } from '../core/log.ts';
import { runRank } from './run-task.ts';

const [dir, rank, world] = process.argv.slice(2);
if (dir === undefined || !/^\d+$/.test(rank ?? '') || !/^\d+$/.test(world ?? '')) {
  process.stderr.write('usage: main.ts FOLDER RANK WORLD\n');
  process.exit(2);
}
// A rank without its parent has nobody to report to.
const leave = (): void => process.exit(1);
process.on('disconnect', leave);
await setImmediate(); // one that went while our modules were loaded is heard now, before any work
const { failed } = await runRank(dir, { rank: Number(rank), world: Number(world), log });
process.off('disconnect', leave);
process.disconnect?.();
process.exitCode = failed > 0 ? 1 : 0;
