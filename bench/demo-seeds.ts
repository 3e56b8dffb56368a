// The demo over several seeds: mean and 95 % interval of each benchmark, as a table and a chart.
// Run: node bench/demo-seeds.ts runs/demo runs/demo-2 runs/demo-3
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { readResults, type Summary } from '../src/eval/index.ts';
import { barChart } from '../src/eval/report/chart.ts';
import { intervalOf } from './support/interval.ts';

const runs = process.argv.slice(2);
if (runs.length < 2) throw new Error('Give the folders of at least two runs.');
const results = runs.map((run) => readResults(join(run, 'results.json')).benchmarks);

const rows = Object.values(results[0] ?? {}).map((first: Summary) => {
  const values = results.map((run) => run[first.benchmark]?.accuracy ?? Number.NaN);
  return { first, values, ...intervalOf(values) };
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
