// Runs malformed inputs through the sources and the decoder, and checks the ledger: a row for each,
// with a reason, the right verdict. `node test/fuzz/fuzz-sources.ts 2400` runs many and prints figures.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type LedgerRow, readLedger, writeLedger } from '../../src/sample/ledger.ts';
import { lintShard } from '../../src/sample/lint.ts';
import { openSource } from '../../src/sample/sources/open.ts';
import { countOf, FORMATS, type FuzzFormat, type FuzzInput, writeInputs } from './inputs.ts';

export interface FuzzResult {
  readonly numInputs: number;
  readonly numRows: number;
  readonly reasons: ReadonlyMap<string, number>;
  /** What is wrong: an input without a row, without a reason, or with another verdict. */
  readonly faults: readonly string[];
}

/** Write inputs of a format, read them as a source, compare the ledger with what they are. */
export async function fuzzFormat(
  format: FuzzFormat,
  count: number,
  seed: number,
): Promise<FuzzResult> {
  const dir = mkdtempSync(join(tmpdir(), 'fuzz-'));
  try {
    const inputs = await writeInputs(join(dir, 'in'), format, count, seed);
    const source = await openSource({ path: join(dir, 'in'), format, name: 'fuzz' });
    const ledger = join(dir, 'ledger.jsonl');
    await writeLedger(
      ledger,
      (async function* () {
        for (const shard of source.shards) yield* lintShard(source, shard);
      })(),
    );
    return judge(format, inputs, await Array.fromAsync(readLedger(ledger)));
  } finally {
    rmSync(dir, { recursive: true });
  }
}

function judge(
  format: FuzzFormat,
  inputs: readonly FuzzInput[],
  rows: readonly LedgerRow[],
): FuzzResult {
  const byTag = new Map<string, LedgerRow[]>();
  const reasons = new Map<string, number>();
  for (const row of rows) {
    const tag = /f\d{5}x/.exec(row.uid)?.[0] ?? '';
    byTag.set(tag, [...(byTag.get(tag) ?? []), row]);
    const reason = row.reason
      .replaceAll(/\d+/g, 'N')
      .replace(/; .* (has|is|ends)/, '; it $1')
      .slice(0, 70);
    reasons.set(reason, (reasons.get(reason) ?? 0) + 1);
  }
  const faults: string[] = [];
  for (const { tag, kind, verdict } of inputs) {
    const own = byTag.get(tag) ?? [];
    const where = `${format} ${tag} (${kind})`;
    if (own.length === 0) faults.push(`${where}: no row`);
    if (own.some((row) => row.reason === '')) faults.push(`${where}: no reason`);
    const isRight =
      verdict === 'error'
        ? own.some((row) => row.verdict === 'error')
        : own.every((row) => row.verdict === verdict);
    if (verdict !== undefined && !isRight) {
      faults.push(`${where}: ${own[0]?.verdict} instead of ${verdict}: ${own[0]?.reason}`);
    }
  }
  return { numInputs: inputs.length, numRows: rows.length, reasons, faults };
}

if (process.argv[1] === import.meta.filename) {
  const total = Number(process.argv[2] ?? 2400);
  const seed = Number(process.argv[3] ?? 1);
  let numFaults = 0;
  for (const format of FORMATS) {
    const start = process.cpuUsage();
    const result = await fuzzFormat(format, countOf(format, total), seed);
    const { user, system } = process.cpuUsage(start);
    numFaults += result.faults.length;
    console.log(
      `${format}: ${result.numInputs} inputs, ${result.numRows} ledger rows, ` +
        `${result.reasons.size} reasons, ${result.faults.length} faults, ` +
        `${((user + system) / 1e6).toFixed(1)} s of processor time`,
    );
    for (const fault of result.faults.slice(0, 20)) console.log(`  ${fault}`);
    for (const [reason, count] of [...result.reasons].sort((a, b) => b[1] - a[1])) {
      console.log(`  ${String(count).padStart(5)}  ${reason}`);
    }
  }
  console.log(`most memory: ${Math.round(process.resourceUsage().maxRSS / 1024)} MiB`);
  process.exitCode = numFaults > 0 ? 1 : 0;
}
