// Does concept balancing help the tail? The paper's claim at our scale: the tiny model trained on a
// concept-balanced subset against a random subset of equal size, same steps and start, some seeds.
// Run: node bench/balance-ablation.ts does all of it in one process, and goes on where it stopped.
// Or --prepare once, then a process each --seed N --arm balanced|random, then --join.
import { parseArgs } from 'node:util';
import { setNumThreads } from '../src/tensor/index.ts';
import { type Arm, prepare, readScores, runArm, type Scores } from './support/ablation.ts';
import { intervalOf } from './support/interval.ts';

const { values } = parseArgs({
  options: {
    folder: { type: 'string', default: 'runs/ablation' },
    steps: { type: 'string', default: '600' },
    seeds: { type: 'string', default: '8' },
    share: { type: 'string', default: '0.3' },
    items: { type: 'string', default: '1400' },
    threads: { type: 'string', default: '1' },
    prepare: { type: 'boolean', default: false },
    seed: { type: 'string' },
    arm: { type: 'string' },
    join: { type: 'boolean', default: false },
  },
});
const ARMS: readonly Arm[] = ['balanced', 'random'];
const ablation = {
  folder: values.folder,
  steps: Number(values.steps),
  share: Number(values.share),
  items: Number(values.items),
};
const seeds = Array.from({ length: Number(values.seeds) }, (_, i) => i + 1);

/** One model; its scores are written beside it. */
async function runOne(arm: Arm, seed: number): Promise<void> {
  const scores = await runArm(ablation, arm, seed);
  console.log(`${arm} ${seed}: ${JSON.stringify(scores)}`);
}

/** The table over the seeds of which both arms are done. */
function table(): void {
  const pairs = seeds.flatMap((seed) => {
    const [balanced, random] = ARMS.map((arm) => readScores(ablation, arm, seed));
    return balanced === undefined || random === undefined ? [] : [{ seed, balanced, random }];
  });
  if (pairs.length < 2) throw new Error(`Two seeds or more; done in both arms: ${pairs.length}.`);
  const mean = (of: (pair: (typeof pairs)[number]) => number): string =>
    intervalOf(pairs.map(of)).mean.toFixed(1);
  console.log(
    `${mean(({ random }) => random.samples)} samples each, with ` +
      `${mean(({ balanced }) => balanced.concepts)} concepts in the balanced and ` +
      `${mean(({ random }) => random.concepts)} in the random subset; ${ablation.steps} steps, ` +
      `${ablation.items} questions, chance 25.0, seeds ${pairs.map(({ seed }) => seed).join(' ')}`,
  );
  console.log('| concepts | balanced | random | balanced − random |\n|--|--|--|--|');
  for (const measure of ['tail', 'middle', 'head', 'all'] as const) {
    const percent = (of: (pair: { balanced: Scores; random: Scores }) => number): string => {
      const { mean: middle, half } = intervalOf(pairs.map((pair) => 100 * of(pair)));
      return `${middle.toFixed(1)} ± ${half.toFixed(1)}`;
    };
    const cells = [
      percent(({ balanced }) => balanced[measure]),
      percent(({ random }) => random[measure]),
      percent(({ balanced, random }) => balanced[measure] - random[measure]),
    ];
    console.log(`| ${measure} | ${cells.join(' | ')} |`);
  }
}

setNumThreads(Number(values.threads));
const arm = ARMS.find((name) => name === values.arm);
if (values.join) table();
else if (values.prepare) await prepare(ablation);
else if (values.seed !== undefined && arm !== undefined) await runOne(arm, Number(values.seed));
else if (values.seed !== undefined || values.arm !== undefined) {
  throw new Error('--seed and --arm balanced|random go together.');
} else {
  await prepare(ablation);
  for (const seed of seeds) for (const each of ARMS) await runOne(each, seed);
  table();
}
