// A program that packs `<dir>/in` into `<dir>/<name>`, for tests that kill it.
import { join } from 'node:path';
import { silentLog } from '../../src/core/log.ts';
import { PackConfigSchema } from '../../src/pack/config.ts';
import { pack } from '../../src/pack/pack.ts';
import { TINY_PROCESSOR } from './tiny-data.ts';

const { dir, name, tokenizer, settings } = JSON.parse(process.argv[2] ?? '{}');
await pack({
  inputs: [{ dir: join(dir, 'in') }],
  output: join(dir, name),
  config: PackConfigSchema.parse(settings),
  tokenizer,
  processor: TINY_PROCESSOR,
  log: silentLog,
});
