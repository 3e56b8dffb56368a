// Stands in for a training process in tests of jobs: `node stand-in.ts DIR MODE`. Leaves what it knows of
// its rank in DIR; then ends well, fails as rank 1, or waits to be told to stop.
import { appendFileSync } from 'node:fs';
import { join } from 'node:path';

const NAMES = [
  'RANK',
  'WORLD_SIZE',
  'LOCAL_RANK',
  'LOCAL_WORLD_SIZE',
  'MASTER_ADDR',
  'MASTER_PORT',
];

const [dir = '', mode = ''] = process.argv.slice(2);
const rank = process.env['RANK'] ?? '0';
const known = Object.fromEntries(NAMES.map((name) => [name, process.env[name]]));
// One line a start.
appendFileSync(
  join(dir, `rank-${rank}.jsonl`),
  `${JSON.stringify({ ...known, pid: process.pid, timeMs: Date.now() })}\n`,
);
const isAgain = process.env['SLURM_RESTART_COUNT'] !== undefined;
if (mode === 'fail' && rank === '1') {
  console.error('loading the packs');
  console.error('error (data): expected packs, came none');
  console.error('  hint: pack first');
  process.exitCode = 4;
} else if (mode !== 'end' && !isAgain) {
  setInterval(() => undefined, 1000);
  process.on('SIGINT', () => {
    console.error(`rank ${rank} saves`);
    // Ranks do not end at the same moment.
    setTimeout(() => process.exit(130), rank === '0' ? 600 : 0);
  });
} else {
  console.log(`rank ${rank} is done`);
}
