// Two, three and four real processes end where one does, in every mode; a rank without an image or
// without a pack holds nobody up.
import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { runRanks } from '../../../test/support/ranks.ts';
import {
  prepareRankRun,
  RANK_STEPS,
  type RankCase,
  trainRank,
} from '../../../test/support/ranks-program.ts';
import { loadModel } from '../../model/checkpoint.ts';
import { openPacks } from '../../pack/read.ts';
import { setNumThreads } from '../../tensor/index.ts';
import { readMetrics } from '../../track/read.ts';
import type { TrainSettings } from '../config.ts';

const PROGRAM = fileURLToPath(new URL('../../../test/support/ranks-program.ts', import.meta.url));
const LAST = `checkpoints/step-${String(RANK_STEPS).padStart(6, '0')}`;
let dir = '';

before(async () => {
  setNumThreads(1);
  dir = mkdtempSync(join(tmpdir(), 'ranks-'));
  await prepareRankRun(dir);
});
after(() => rmSync(dir, { recursive: true }));

type Settings = Partial<TrainSettings>;
const full = { sharding: 'full' } as const;
const lora = { rank: 2, parts: ['language', 'vision'] } as const;
const slices = (sequenceRanks: number, own: Settings = {}): Settings => ({ sequenceRanks, ...own });
const onlyLanguage = { trainable: ['language'] } as const;
const onlyMerger = { trainable: ['merger'] } as const;
const packMean = { lossWeighting: 'pack-mean' } as const;
const muon = {
  optimizer: { name: 'muon', lr: 2e-3, eps: 1e-5, weightDecay: 0.05, warmup: 0.2 },
} as const;

/** What one process trains, and how several train the same: name, ranks → settings. */
const CASES: Readonly<
  Record<string, readonly [alone: Settings, ...(readonly [number, Settings])[]]>
> = {
  accumulated: [
    {},
    [2, {}],
    [3, {}],
    [2, full],
    [3, full],
    [4, { ...full, shardRanks: 2 }],
    [2, slices(2)],
    [3, slices(3)],
    [4, slices(2, full)],
  ],
  'one pass': [{ microBatchPacks: 2, packsPerStep: 2 }, [2, {}], [2, slices(2)]],
  'a pack a rank': [
    { packsPerStep: 2, seed: 3, ...packMean },
    [2, full],
    [2, { shardRanks: 1 }],
    [3, {}],
  ],
  'frozen tower, recomputed': [{ ...onlyLanguage, recompute: { language: 'full' } }, [2, full]],
  'merger alone': [{ ...onlyMerger, packsPerStep: 2 }, [2, full], [2, slices(2, full)]],
  adapters: [{ lora }, [2, {}], [2, full]],
  muon: [muon, [2, {}], [3, full]],
  bfloat16: [{ precision: 'bfloat16' }, [2, {}], [2, full]],
};

/** How far losses may be apart, and weights: a share of theirs, and more. */
interface Tolerance {
  readonly loss: number;
  readonly share: number;
  readonly weight: number;
}

const EXACT: Tolerance = { loss: 1e-6, share: 0, weight: 1e-5 };
/** Muon's update has full size where the gradient is but rounding: in its small singular values. */
const AMPLIFIED: Tolerance = { ...EXACT, loss: 4e-6, weight: 1e-4 };
/**
 * A pack's gradient has the same bits on any rank; the float32 sums over packs differ in their last
 * one. So now and then a weight rounds to the bfloat16 beside, 2⁻⁷ of it away at most, and losses
 * follow.
 */
const ROUNDED: Tolerance = { loss: 2 ** -12, share: 2 ** -7, weight: 1e-4 };

function toleranceOf(what: string): Tolerance {
  if (what.startsWith('bfloat16')) return ROUNDED;
  return what.startsWith('muon') ? AMPLIFIED : EXACT;
}

interface Outcome {
  readonly losses: readonly number[];
  readonly weights: ReadonlyMap<string, readonly number[]>;
}

function outcomeOf(run: string, losses: readonly number[]): Outcome {
  using model = loadModel(join(dir, run, LAST));
  const weights = [...model.namedParameters()].map(([name, x]) => [name, x.toNumbers()] as const);
  return { losses, weights: new Map(weights) };
}

function assertEqual(came: Outcome, expected: Outcome, what: string): void {
  const tolerance = toleranceOf(what);
  assert.equal(came.losses.length, RANK_STEPS, what);
  for (const [step, loss] of came.losses.entries()) {
    const exact = expected.losses[step] ?? Number.NaN;
    assert.ok(
      Math.abs(loss - exact) < tolerance.loss * exact,
      `${what}, step ${step}: ${loss}, ${exact}`,
    );
  }
  for (const [name, values] of expected.weights) {
    const others = came.weights.get(name) ?? [];
    assert.equal(others.length, values.length);
    const beyond = values.map((value, i) => {
      return Math.abs(value - (others[i] ?? Number.NaN)) - tolerance.share * Math.abs(value);
    });
    const most = Math.max(...beyond);
    assert.ok(most < tolerance.weight, `${what}, ${name}: ${most}`);
  }
}

test('several ranks train as one', async (t) => {
  using packs = openPacks(join(dir, 'small-packs'));
  const withoutImage = Array.from({ length: packs.numPacks }, (_, i) => packs.read(i)).filter(
    ({ samples }) => samples.every(({ patches }) => patches === 0),
  );
  assert.ok(withoutImage.length > 3, 'some packs have no image');
  const alone = new Map<string, Outcome>();
  for (const [name, [settings]] of Object.entries(CASES)) {
    const losses = await trainRank(dir, { ...settings, run: `alone ${name}` });
    alone.set(name, outcomeOf(`alone ${name}`, losses));
  }
  for (const size of [2, 3, 4]) {
    const cases = Object.entries(CASES).flatMap(([name, [settings, ...others]]) =>
      others.flatMap(([ranks, own]): RankCase[] => {
        const kind = own.sequenceRanks === undefined ? '' : `, slices on ${own.sequenceRanks}`;
        const run = `${name} on ${size} ranks, ${own.sharding ?? 'optimizer'}${kind}`;
        return ranks === size ? [{ ...settings, ...own, run }] : [];
      }),
    );
    const results = await runRanks(PROGRAM, size, [dir, JSON.stringify(cases), '60000']);
    for (const [rank, { code, errors }] of results.entries()) {
      assert.equal(code, 0, `rank ${rank} of ${size}: ${errors}`);
    }
    const lines = (results[0]?.output ?? '').trim().split('\n');
    for (const line of lines) {
      const [run, losses] = JSON.parse(line) as [string, number[]];
      await t.test(run, async () => {
        const expected = alone.get(run.split(' on ')[0] ?? '');
        assert.ok(expected !== undefined);
        assertEqual(outcomeOf(run, losses), expected, run);
        const rows = await readMetrics(join(dir, run));
        assert.equal(rows.length, RANK_STEPS / 5);
        assert.ok(rows.every((row) => (row['perf/balance_planned'] ?? 0) > 0.3));
        assert.deepEqual(
          readdirSync(join(dir, run, 'checkpoints')).filter((name) => name.startsWith('.')),
          [],
        );
      });
    }
  }
});
