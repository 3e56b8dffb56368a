// Runs every test file, each in its own process, and closes with one line: N passed, N failed.
// `npm run test:run -- pack` runs only the files whose path contains "pack".
import { globSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { run } from 'node:test';
import { spec } from 'node:test/reporters';

const PATTERNS = ['src/**/*.test.ts', 'test/**/*.test.ts', 'scripts/**/*.test.ts'];
const filters = process.argv.slice(2);
const files = PATTERNS.flatMap((pattern) => globSync(pattern))
  .filter((file) => filters.length === 0 || filters.some((part) => file.includes(part)))
  .sort();

// Files run side by side. One libtorch thread each: waiting threads spin, and two processes that
// spin on two cores are ten times slower than one after the other.
process.env['OMP_NUM_THREADS'] ??= '1';

const counts = { passed: 0, failed: 0, skipped: 0 };
const concurrency = Math.max(1, Math.min(2, availableParallelism()));
/** A file that hangs is a failure, not a silence. */
const timeout = 10 * 60_000;
const events = run({ files, concurrency, timeout });
events.on('test:pass', (event) => {
  if (event.details.type === 'suite') return;
  if (event.skip !== undefined && event.skip !== false) counts.skipped += 1;
  else counts.passed += 1;
});
events.on('test:fail', (event) => {
  if (event.details.type !== 'suite') counts.failed += 1;
});
events.on('end', () => {
  const skipped = counts.skipped > 0 ? `, ${counts.skipped} skipped` : '';
  process.stdout.write(`\n${counts.passed} passed, ${counts.failed} failed${skipped}\n`);
  process.exitCode = counts.failed > 0 || counts.passed === 0 ? 1 : 0;
});
const reporter = new spec();
events.compose(reporter).on('data', (chunk: string) => process.stdout.write(chunk));
