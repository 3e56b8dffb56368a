// Curation at scale, three claims: balancing of 100 million rows on one machine (time, memory, size
// against the closed form), captions matched a second and core with 500,000 concepts, and the share
// of the machine's matrix-product peak that concept search by embedding reaches.
// Run: node bench/curate-scale.ts [balance|text|search|all] [rows] [folder] [rule 0–2]
import { existsSync, mkdirSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { torchProduct } from '../src/cli/embed/torch-product.ts';
import { createRandom } from '../src/core/hash.ts';
import { silentLog } from '../src/core/log.ts';
import { balanceColumns } from '../src/curate/balance/balance-columns.ts';
import { type BalanceConfig, balanceSchema } from '../src/curate/config.ts';
import { normaliseRows } from '../src/curate/embed/embedder.ts';
import { PLAIN_PRODUCT } from '../src/curate/embed/plain-product.ts';
import { createTextMatcher } from '../src/curate/match/text-matcher.ts';
import { createConceptSearch } from '../src/curate/match/top-k.ts';
import { openColumns, sqlText } from '../src/sample/columns.ts';
import { fromArray, setNumThreads, tidy } from '../src/tensor/index.ts';
import * as ops from '../src/tensor/ops.ts';

const [part = 'all', rowText = '100000000', folder = 'runs/curate-scale', ruleText] =
  process.argv.slice(2);
const NUM_CONCEPTS = 500_000;
const NUM_SHARDS = 10;
/** Over the same 20,000 captions: two seconds, so that compiling is over for most of them. */
const TEXT_ROUNDS = 20;

/** Peak resident memory of this process, GiB. */
async function peakMemory(): Promise<number> {
  const status = await readFile('/proc/self/status', 'utf8');
  return Number(/VmHWM:\s+(\d+)/.exec(status)?.[1]) / 2 ** 20;
}

/** Seconds of processor time of this process, all threads. */
function cpuSeconds(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
}

/** Rows (uid, hashes, one to seven concepts of a skewed distribution) as parquet. */
async function writeRows(numRows: number): Promise<string[]> {
  mkdirSync(folder, { recursive: true });
  const files: string[] = [];
  using columns = await openColumns({ threads: 2, memoryMiB: 2048 });
  const unit = (salt: number): string => `(hash(i * 8 + ${salt}) / 18446744073709551616.0)`;
  const concept = (salt: number): string => `floor(${NUM_CONCEPTS} * ${unit(salt)} ** 4)::INTEGER`;
  const list = [1, 2, 3, 4, 5, 6, 7].map(concept).join(', ');
  for (let shard = 0; shard < NUM_SHARDS; shard++) {
    const file = join(folder, `rows-${numRows}-${shard}.parquet`);
    files.push(file);
    if (existsSync(file)) continue;
    const [from, to] = [(numRows * shard) / NUM_SHARDS, (numRows * (shard + 1)) / NUM_SHARDS];
    await columns.run(
      `COPY (SELECT hash(i) AS uid, hash(i + 1) AS phash,
         list_distinct([${list}][1:1 + (hash(i * 8) % 7)::INTEGER]) AS concepts
       FROM range(${from}, ${to}) r(i)) TO ${sqlText(file)} (FORMAT parquet)`,
    );
  }
  return files;
}

async function benchBalance(): Promise<void> {
  const numRows = Number(rowText);
  const files = await writeRows(numRows);
  const settings: Partial<BalanceConfig>[] = [
    { rule: 'inverse-frequency', target: 0.5 },
    { rule: 'inverse-frequency', target: 0.5, replacement: true },
    { rule: 'metaclip-t', t: 2000 },
  ];
  for (const own of ruleText === undefined ? settings : [settings[Number(ruleText)] ?? {}]) {
    const config = balanceSchema.parse(own);
    const name = `${config.rule}${config.replacement ? ', with replacement' : ''}`;
    const started = performance.now();
    const before = cpuSeconds();
    let expected = { rows: 0, distinct: 0 };
    const { counts } = await balanceColumns({
      files,
      output: join(folder, `out-${name.replaceAll(/\W+/g, '-')}-${process.pid}`),
      numConcepts: NUM_CONCEPTS,
      config,
      seed: 1,
      threads: 2,
      log: silentLog,
      onExpected: (sizes) => {
        expected = sizes;
      },
    });
    const minutes = (performance.now() - started) / 60_000;
    const off = (found: number, closed: number): string =>
      `${found} for ${Math.round(closed)} (${((100 * (found - closed)) / closed).toFixed(4)} %)`;
    console.log(
      `balance ${name}: ${numRows} rows in ${minutes.toFixed(1)} min ` +
        `(${((cpuSeconds() - before) / 60).toFixed(1)} of processor time), peak so far ` +
        `${(await peakMemory()).toFixed(2)} GiB; rows ${off(counts['rows'] ?? 0, expected.rows)}, ` +
        `different ${off(counts['distinct'] ?? 0, expected.distinct)}`,
    );
  }
}

/** Names of one to three words over a vocabulary of 200,000, or of two to five characters. */
function drawNames(spaced: boolean): string[] {
  const random = createRandom('names', String(spaced));
  const names = new Set<string>();
  while (names.size < NUM_CONCEPTS)
    names.add(spaced ? phrase(random.next, 3) : hanzi(random, 2, 5));
  return [...names];
}

/** Words by Zipf's law, five letters or more. */
function phrase(next: () => number, most: number): string {
  const numWords = 1 + Math.floor(next() * most);
  return Array.from({ length: numWords }, () => wordOf(Math.floor(200_000 ** next()))).join(' ');
}

function wordOf(rank: number): string {
  let [word, rest] = ['', rank + 400];
  for (; rest > 0; rest = Math.floor(rest / 20)) word += 'bcdfghklmnprstvwxzjq'[rest % 20];
  return word.replaceAll(/(.)/g, `$1${'aeiou'[rank % 5]}`).slice(0, 9);
}

function hanzi(random: { int(n: number): number }, least: number, most: number): string {
  const length = least + random.int(most - least + 1);
  return Array.from({ length }, () => String.fromCharCode(0x4e00 + random.int(3000))).join('');
}

function benchText(spaced: boolean): void {
  const names = drawNames(spaced);
  const random = createRandom('captions', String(spaced));
  const captions = Array.from({ length: 20_000 }, () =>
    spaced
      ? `${phrase(random.next, 5)}, ${random.pick(names)} ${phrase(random.next, 6)}.`
      : `${hanzi(random, 3, 12)}${random.pick(names)}，${hanzi(random, 3, 12)}`,
  );
  const built = cpuSeconds();
  const matcher = createTextMatcher(names.map((name, id) => [name, id]));
  const buildTime = cpuSeconds() - built;
  let found = 0;
  const rates: number[] = [];
  for (let round = 0; round < TEXT_ROUNDS; round++) {
    const started = cpuSeconds();
    for (const caption of captions) found += matcher.match(caption).length;
    rates.push(captions.length / (cpuSeconds() - started));
  }
  const letters = captions.reduce((sum, caption) => sum + caption.length, 0) / captions.length;
  const [, ...warm] = rates;
  console.log(
    `text, ${spaced ? 'words' : 'characters'}: ${names.length} names (built in ` +
      `${buildTime.toFixed(1)} s), ${letters.toFixed(0)} characters and ` +
      `${(found / TEXT_ROUNDS / captions.length).toFixed(1)} concepts a caption: ` +
      `${(median(warm) / 1000).toFixed(0)}k captions/s/core (first round ` +
      `${((rates[0] ?? 0) / 1000).toFixed(0)}k)`,
  );
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}

/** Products and searches in turns, in processor time: what else runs on the machine counts little. */
function benchSearch(): void {
  setNumThreads(1);
  const random = createRandom('search');
  const draw = (rows: number, dim: number): Float32Array =>
    normaliseRows(
      Float32Array.from({ length: rows * dim }, () => random.next() - 0.5),
      dim,
    );
  const size = 2048;
  const square = fromArray(draw(size, size), [size, size]);
  const gflops = (flops: number, work: () => void): number => {
    const started = cpuSeconds();
    work();
    return flops / (cpuSeconds() - started) / 1e9;
  };
  for (const [dim, numConcepts] of [
    [1024, 50_000],
    [512, 100_000],
    [768, 65_536],
  ] as const) {
    const queries = draw(512, dim);
    const search = createConceptSearch(draw(numConcepts, dim), dim, torchProduct());
    const peaks: number[] = [];
    const rates: number[] = [];
    for (let round = 0; round < 7; round++) {
      peaks.push(
        gflops(4 * 2 * size ** 3, () => {
          for (let i = 0; i < 4; i++) tidy(() => ops.mm(square, square));
        }),
      );
      rates.push(gflops(2 * 512 * numConcepts * dim, () => search.search(queries, 16)));
    }
    search.free();
    const [peak, rate] = [Math.max(...peaks), median(rates)];
    console.log(
      `search, dim ${dim}, ${numConcepts} concepts, top 16: ${rate.toFixed(1)} GFLOP/s a core, ` +
        `${((100 * rate) / peak).toFixed(0)} % of the best product of ${size}³ ` +
        `(${peak.toFixed(1)}), ${((100 * rate) / median(peaks)).toFixed(0)} % of its median`,
    );
  }
  const plain = createConceptSearch(draw(8192, 512), 512, PLAIN_PRODUCT);
  const queries = draw(128, 512);
  plain.search(queries, 16);
  const rate = gflops(2 * 128 * 8192 * 512, () => plain.search(queries, 16));
  console.log(`search in plain TypeScript: ${rate.toFixed(1)} GFLOP/s a core`);
}

if (part === 'text' || part === 'all') for (const spaced of [true, false]) benchText(spaced);
if (part === 'search' || part === 'all') benchSearch();
if (part === 'balance' || part === 'all') await benchBalance();
