// The demo over several seeds: mean and 95 % interval of each benchmark, as a table and a chart.
// Run: node bench/demo-seeds.ts runs/demo runs/demo-2 runs/demo-3
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { readResults, type Summary } from '../src/eval/index.ts';
import { barChart } from '../src/eval/report/chart.ts';

/** 97.5 % quantiles of Student's t with 1, 2, … degrees of freedom. */
const STUDENT = [12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262];

const runs = process.argv.slice(2);
if (runs.length < 2) throw new Error('Give the folders of at least two runs.');
const results = runs.map((run) => readResults(join(run, 'results.json')).benchmarks);

const rows = Object.values(results[0] ?? {}).map((first: Summary) => {
  const values = results.map((run) => run[first.benchmark]?.accuracy ?? Number.NaN);
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  const error = Math.sqrt(squares / (values.length - 1) / values.length);
  const half = (STUDENT[values.length - 2] ?? 1.96) * error;
  return { first, values, mean, half };
});

const percent = (value: number): string => (100 * value).toFixed(1);
console.log(
  `| held-out set | ${runs.map((_, i) => `run ${i + 1}`).join(' | ')} | mean ± 95 % | chance | items |`,
);
console.log(`|--|${runs.map(() => '--|').join('')}--|--|--|`);
for (const { first, values, mean, half } of rows) {
  const chance = first.chance === undefined ? '' : percent(first.chance);
  const cells = [first.title, ...values.map(percent), `**${percent(mean)} ± ${percent(half)}**`];
  console.log(`| ${[...cells, chance, first.items].join(' | ')} |`);
}
mkdirSync('docs/images', { recursive: true });
const bars = rows.map(({ first, mean, half }) => {
  return {
    label: first.title,
    value: mean,
    low: mean - half,
    high: mean + half,
    chance: first.chance,
  };
});
const title = `Held-out accuracy, mean of ${runs.length} seeds`;
writeFileSync('docs/images/results.svg', barChart(title, bars));
