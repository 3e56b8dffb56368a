// How near to the lower bound the plan comes and what it costs, on five mixes of a million lengths;
// beside it best-fit-decreasing, minimum bin slack, and TRL's packer where a Python with trl is found.
// Times are processor time on one core, so that other jobs on the machine count little.
// Run: node bench/pack-plan.ts [--big]   (--big: 85 million captions as well, in a process of its own)
// TRL: PYTHON=<python with trl>, default python3.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DEFAULT_COST, packCosts } from '../src/pack/balance/cost.ts';
import { balanceSteps, syncEfficiency } from '../src/pack/balance/steps.ts';
import { bestFitDecreasing } from '../src/pack/fit/best-fit.ts';
import type { Packs, Problem } from '../src/pack/fit/problem.ts';
import { minimumBinSlack } from '../src/pack/fit/slack.ts';
import { survey } from '../src/pack/fit/survey.ts';
import { drawOrder } from '../src/pack/order.ts';
import { type Lengths, planPacks } from '../src/pack/plan.ts';
import { CAPACITY, drawMix, MIXES, type Mix, SHAPES } from './support/length-mixes.ts';

const COUNT = 1_000_000;
/** TRL needs the tokens themselves. */
const COUNT_TRL = 200_000;
const BIG = 85_000_000;
const ROUNDS = 25;
const LIMITS = { tokens: CAPACITY, patches: 4 * CAPACITY, segments: 4096 };
const OPTIONS = { seed: 1 };

/** TRL's pack_dataset over lists of the given lengths: packs and seconds, as it is and over all at once. */
const TRL_CODE = `
import sys, time, numpy as np, pyarrow as pa, datasets, trl
from datasets import Dataset
from trl import pack_dataset
datasets.disable_progress_bars()
lengths = np.fromfile(sys.argv[1], dtype=np.uint32)
offsets = np.concatenate([[0], np.cumsum(lengths, dtype=np.int64)])
values = pa.array(np.zeros(int(offsets[-1]), dtype=np.int8))
column = pa.LargeListArray.from_arrays(pa.array(offsets), values)
dataset = Dataset(pa.table({"input_ids": column}))
datasets.disable_caching()
out = []
for batch in (1000, len(lengths)):
    start = time.process_time()
    packed = pack_dataset(dataset, ${CAPACITY}, "bfd", {"batch_size": batch})
    out += [len(packed), time.process_time() - start]
print(trl.__version__, *out)
`;

interface Timed<T> {
  readonly value: T;
  readonly seconds: number;
}

/** Processor seconds of the fastest of several runs. */
function timed<T>(rounds: number, work: () => T): Timed<T> {
  let start = process.cpuUsage();
  let value = work();
  const seconds = (): number => {
    const { user, system } = process.cpuUsage(start);
    return (user + system) / 1e6;
  };
  let best = seconds();
  for (let round = 1; round < rounds; round += 1) {
    start = process.cpuUsage();
    value = work();
    best = Math.min(best, seconds());
  }
  return { value, seconds: best };
}

function percent(part: number): string {
  return `${(100 * part).toFixed(4)} %`;
}

function line(name: string, packs: number, bound: number, seconds: number, more = ''): void {
  const gap = percent((packs - bound) / bound);
  const time = `${(1000 * seconds).toFixed(0)} ms`;
  console.log(`  ${name.padEnd(24)} ${packs} packs, gap ${gap}, ${time}${more}`);
}

/** The lengths as the planners take them, tokens leading. */
function problemOf(lengths: Lengths): Problem {
  const needs = { ...lengths, maxTokens: CAPACITY, maxPatches: 4 * CAPACITY, segments: 4096 };
  return survey(needs, undefined, 1).byTokens;
}

function compareMix(mix: Mix): void {
  const lengths = drawMix(mix, COUNT, 1);
  const { value: plan, seconds } = timed(ROUNDS, () => planPacks(lengths, LIMITS, OPTIONS));
  const { numPacks, lowerBound, fill } = plan;
  console.log(`${mix}, ${COUNT} samples (${SHAPES[mix]}), bound ${lowerBound}`);
  const more = `, fill ${percent(fill)}, ${plan.methods.join()}`;
  line('OneVision', numPacks, lowerBound, seconds, more);
  const problem = problemOf(lengths);
  const fit = timed(1, () => bestFitDecreasing(problem));
  line('best-fit-decreasing', fit.value.numPacks, lowerBound, fit.seconds);
  const slack = timed(1, () => minimumBinSlack(problem));
  line('minimum bin slack', slack.value.numPacks, lowerBound, slack.seconds);
  const { tokens, patches } = lengths;
  compareTrl({
    tokens: tokens.subarray(0, COUNT_TRL),
    patches: patches.subarray(0, COUNT_TRL),
  });
}

function compareTrl(lengths: Lengths): void {
  const ours = timed(1, () => planPacks(lengths, LIMITS, OPTIONS));
  const { numPacks, lowerBound } = ours.value;
  console.log(` the first ${COUNT_TRL} of them, bound ${lowerBound}`);
  line('OneVision', numPacks, lowerBound, ours.seconds, `, ${ours.value.methods.join()}`);
  const trl = runTrl(lengths.tokens);
  if (typeof trl === 'string') console.log(`  TRL: skipped, ${trl}`);
  else {
    line(`TRL ${trl.version}, as it is`, trl.packs, lowerBound, trl.seconds, ', windows of 1000');
    line(`TRL ${trl.version}, all at once`, trl.packsAll, lowerBound, trl.secondsAll);
  }
}

/** Ranks of the modelled runs, one pack each in a step. */
const RANKS = [8, 128, 1024];

/** How much of the time ranks compute, in the cost model: packs in random and in balanced order. */
function compareBalance(mix: Mix): void {
  const lengths = drawMix(mix, COUNT, 1);
  const problem = problemOf(lengths);
  const plan = planPacks(lengths, LIMITS, OPTIONS);
  const attention = { attention: 1, linear: 0, vision: 0 };
  const models = { 'Σn² alone': attention, 'an 8B model': DEFAULT_COST };
  for (const [name, model] of Object.entries(models)) {
    const columns = RANKS.map((ranks) => {
      const shape = { packsPerStep: ranks, ranks };
      const efficiency = (packs: Packs, isBalanced: boolean): string => {
        const costs = packCosts(packs, lengths, model);
        const { numPacks } = packs;
        const order = drawOrder([{ sets: [{ numPacks }], length: numPacks }], 1);
        const used = isBalanced ? balanceSteps(order, costs, shape, 1) : order;
        return percent(syncEfficiency(used, costs, shape)).replace(/\d\d %/, ' %');
      };
      const fit = efficiency(bestFitDecreasing(problem), false);
      return `${ranks}: ${fit} → ${efficiency(plan, false)} → ${efficiency(plan, true)}`;
    });
    console.log(`  ${mix}, ${name}: ${columns.join(', ')}`);
  }
}

interface TrlResult {
  readonly version: string;
  readonly packs: number;
  readonly seconds: number;
  readonly packsAll: number;
  readonly secondsAll: number;
}

function runTrl(lengths: Uint32Array): TrlResult | string {
  const python = process.env['PYTHON'] ?? 'python3';
  const dir = mkdtempSync(join(tmpdir(), 'pack-plan-'));
  try {
    const path = join(dir, 'lengths.u32');
    writeFileSync(path, lengths);
    const { status, stdout, stderr } = spawnSync(python, ['-c', TRL_CODE, path], {
      encoding: 'utf8',
      env: { ...process.env, HF_HUB_OFFLINE: '1', HF_HOME: dir },
    });
    if (status !== 0) return stderr?.trim().split('\n').at(-1) ?? `there is no ${python}`;
    const [version = '', ...numbers] = stdout.trim().split('\n').at(-1)?.split(' ') ?? [];
    const [packs = 0, seconds = 0, packsAll = 0, secondsAll = 0] = numbers.map(Number);
    return { version, packs, seconds, packsAll, secondsAll };
  } finally {
    rmSync(dir, { recursive: true });
  }
}

/** Plans 85 million captions and prints what that took. Lengths and plan count in the memory. */
function planBig(): void {
  const lengths = drawMix('caption', BIG, 1);
  const wall = performance.now();
  const { value: plan, seconds } = timed(1, () => planPacks(lengths, LIMITS, OPTIONS));
  line('OneVision', plan.numPacks, plan.lowerBound, seconds, `, ${plan.methods.join()}`);
  const memory = process.resourceUsage().maxRSS / 1024 / 1024;
  const elapsed = ((performance.now() - wall) / 1000).toFixed(1);
  console.log(`  ${elapsed} s on the clock, ${memory.toFixed(2)} GiB at most, all in all`);
}

if (process.argv.includes('--only-big')) planBig();
else {
  for (const mix of MIXES) compareMix(mix);
  console.log('ranks: efficiency of best-fit-decreasing → drawn packs → in balanced order');
  for (const mix of MIXES) compareBalance(mix);
  if (process.argv.includes('--big')) {
    console.log(`caption, ${BIG} samples`);
    const again = [...process.execArgv, import.meta.filename, '--only-big'];
    spawnSync(process.execPath, again, { stdio: 'inherit' });
  }
}
