// All benchmarks of the paper's table end to end on small copies of their data sets: by an endpoint that
// brings about every outcome, and by a tiny model of our own engine.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { silentLog as log } from '../../src/core/log.ts';
import { PAPER_BENCHMARKS, PROXY_BENCHMARKS } from '../../src/eval/benchmarks/index.ts';
import { localModel } from '../../src/eval/local-model.ts';
import {
  type EndpointModel,
  endpointModel,
  type PreparedQuestion,
} from '../../src/eval/models/endpoint-model.ts';
import { OUTCOMES, type Outcome, type Summary } from '../../src/eval/outcome.ts';
import { openJudge } from '../../src/eval/run/judge.ts';
import { readResults } from '../../src/eval/run/shard.ts';
import { type EvaluateOptions, evaluate } from '../../src/eval/runner.ts';
import { QWEN_PROCESSOR } from '../../src/image/config.ts';
import { createOneVision } from '../../src/model/onevision.ts';
import { tinyConfig, vocabularyOf } from '../../src/model/presets.ts';
import { setNumThreads } from '../../src/tensor/index.ts';
import { createTokenizer } from '../../src/text/tokenizer.ts';
import { trainTokenizer } from '../../src/text/train-bpe.ts';
import { type PlanServer, startPlanServer } from '../support/hub/server.ts';
import { HUB_SETS, writeHubSets } from '../support/hub/write.ts';

const root = mkdtempSync(join(tmpdir(), 'onevision-benchmarks-'));
const data = join(root, 'data');
const PROXIES = PROXY_BENCHMARKS.filter(({ name }) => name.endsWith('-val'));
const BENCHMARKS = [...PAPER_BENCHMARKS, ...PROXIES];
let server: PlanServer;
before(async () => {
  server = await startPlanServer(await writeHubSets(data));
});
after(async () => {
  await server[Symbol.asyncDispose]();
  rmSync(root, { recursive: true, force: true });
});

const openEndpoint = (name: string): EndpointModel =>
  endpointModel({
    url: server.url,
    model: 'planned',
    cache: join(root, `${name}.sqlite`),
    backoffMs: 1,
  });

const run = (
  model: EndpointModel,
  output: string,
  options: Partial<EvaluateOptions<PreparedQuestion>> = {},
): Promise<Summary[]> =>
  evaluate({
    model,
    benchmarks: BENCHMARKS,
    data,
    output: join(root, output),
    partial: true,
    log,
    ...options,
  });

/** What the rows of a set should end as. Answers that are not public leave nothing to score. */
function wantedOutcomes(name: string): Record<Outcome, number> {
  const counts = Object.fromEntries(OUTCOMES.map((outcome) => [outcome, 0])) as Record<
    Outcome,
    number
  >;
  const isHidden = name === 'doc-vqa' || name === 'info-vqa';
  // Four questions a row; the title of the wrong row gets no verdict, and cut replies go to no judge.
  if (name === 'charxiv-dq') {
    return { ...counts, correct: 8, wrong: 3, 'judge-error': 1, truncated: 4, skipped: 4 };
  }
  for (const { wanted, cells } of HUB_SETS.find((set) => set.name === name)?.rows ?? []) {
    if (cells['data_type'] === 'video') continue;
    counts[isHidden && wanted !== 'model-error' ? 'skipped' : wanted] += 1;
  }
  return counts;
}

test('all 27 by an endpoint: each row ends as it was meant to, in every benchmark', async () => {
  assert.equal(PAPER_BENCHMARKS.length, 27);
  using model = openEndpoint('first');
  using judge = openJudge({ url: server.url, model: 'judge', cache: join(root, 'judge.sqlite') });
  const summaries = await run(model, 'endpoint', { judge });
  for (const [index, { name }] of BENCHMARKS.entries()) {
    const { outcomes, replies, warnings = [], items } = summaries[index] as Summary;
    assert.deepEqual(outcomes, wantedOutcomes(name), name);
    const asked = name === 'math-vista' ? 3 * items : items;
    assert.equal(replies?.counts.asked, asked, name);
    assert.equal(replies.counts.unique, items, name);
    assert.match(warnings.join('\n'), /expected \d+ rows.*they have \d+/, name);
    assert.match(warnings.join('\n'), /items were asked, the data set has/, name);
    const rows = readResults(join(root, 'endpoint', name, 'samples.jsonl'));
    assert.equal(rows.length, asked, name);
    assert.equal(new Set(rows.map(({ uid }) => uid)).size, rows.length, name);
  }
  const byName = (name: string): Summary =>
    summaries[BENCHMARKS.findIndex((benchmark) => benchmark.name === name)] as Summary;
  const { profiles } = byName('mmmu').replies ?? {};
  assert.equal(profiles?.['strict']?.score, 3 / 9);
  // lmms-eval rounds to five decimals.
  assert.equal(profiles['lmms-v0.5']?.score, 0.22222, 'open questions never score at v0.5');
  assert.deepEqual(byName('mmbench-en').replies?.profiles['strict']?.denominator, 2);
  assert.equal(byName('doc-vqa').replies?.counts.hidden, 8);
});

test('another profile scores the same replies anew and asks nothing but what had no reply', async () => {
  using model = openEndpoint('first');
  const before = server.answered.size;
  // No address: verdicts that were recorded are replayed.
  using judge = openJudge({ model: 'judge', cache: join(root, 'judge.sqlite') });
  const paper = await run(model, 'endpoint', { profile: 'lmms-v0.5', judge });
  const failed = BENCHMARKS.length;
  assert.ok(model.figures.numSent <= failed, 'only the rows that the endpoint refused');
  assert.equal(server.answered.size, before);
  const mmmu = paper[BENCHMARKS.findIndex(({ name }) => name === 'mmmu')];
  assert.equal(mmmu?.accuracy, 0.22222);
  assert.match(mmmu.scorer, /lmms-v0\.5/);
  // The fault of the original: a quarter of the questions, each asked four times.
  const charxiv = paper[BENCHMARKS.findIndex(({ name }) => name === 'charxiv-dq')];
  assert.deepEqual(charxiv?.replies?.profiles['lmms-v0.5'], {
    score: 2 / 5,
    denominator: 5,
    items: 5,
  });
  assert.deepEqual(charxiv.replies.profiles['strict'], {
    score: 8 / 20,
    denominator: 20,
    items: 20,
  });
  assert.match(charxiv.warnings?.join('\n') ?? '', /profile lmms-v0\.5 counts 5 of 20 items/);
});

test('all 27 by a tiny model of our own engine, with the limit said in every score', async () => {
  setNumThreads(1);
  const tokenizer = createTokenizer(
    trainTokenizer(['Answer with the letter directly.', 'What is shown?'], 300, {
      defaultSystem: '',
    }),
  );
  const sizes = { width: 32, headDim: 16, visionLayers: 1, textLayers: 1 };
  using network = createOneVision(tinyConfig(vocabularyOf(tokenizer), sizes), { seed: 1 });
  const image = { ...QWEN_PROCESSOR, minPixels: 28 * 28 };
  const model = localModel(network, { tokenizer, image }, { identity: 'tiny' });
  const options = { model, benchmarks: BENCHMARKS, data, output: join(root, 'tiny'), log };
  await assert.rejects(evaluate({ ...options, partial: true }), {
    code: 'usage',
    message: /1024 tokens do not fit its context/,
  });
  const summaries = await evaluate({ ...options, partial: true, maxNewTokens: 4 });
  assert.equal(summaries.length, BENCHMARKS.length);
  for (const summary of summaries) {
    const total = OUTCOMES.reduce((sum, outcome) => sum + summary.outcomes[outcome], 0);
    assert.equal(total, summary.items, summary.benchmark);
    assert.equal(summary.outcomes['model-error'], 0);
    assert.match(summary.warnings?.join() ?? '', /replies end at 4 tokens, the benchmark allows/);
  }
});

test('data that are not as they should be are named: counts, files, columns', async () => {
  using model = openEndpoint('faults');
  const [mmstar, ai2d] = ['mmstar', 'ai2d'].map(
    (name) => BENCHMARKS.find((benchmark) => benchmark.name === name) as (typeof BENCHMARKS)[0],
  );
  assert.ok(mmstar !== undefined && ai2d !== undefined);
  const one = { benchmarks: [mmstar], partial: false };
  await assert.rejects(run(model, 'faults', one), {
    code: 'data',
    message: /Benchmark mmstar: expected 1500 rows in mmstar\.parquet .*they have 8/,
    hint: /huggingface-cli download --repo-type dataset Lin-Chen\/MMStar .*--partial/,
  });
  await assert.rejects(run(model, 'faults', { ...one, data: join(root, 'nowhere') }), {
    code: 'data',
    message: /Expected .* of the data set Lin-Chen\/MMStar in /,
    hint: /^fetch it: huggingface-cli download --repo-type dataset Lin-Chen\/MMStar --include/,
  });
  const set = HUB_SETS.find(({ name }) => name === 'ai2d');
  assert.ok(set !== undefined);
  const { options: _, ...columns } = set.columns;
  await writeHubSets(join(root, 'odd'), [{ ...set, columns }]);
  await assert.rejects(run(model, 'faults', { benchmarks: [ai2d], data: join(root, 'odd') }), {
    code: 'data',
    message: /Expected the columns options in .*it has question, answer, image/,
  });
  writeFileSync(join(root, 'odd', set.file), 'no parquet at all');
  await assert.rejects(run(model, 'faults', { benchmarks: [ai2d], data: join(root, 'odd') }), {
    code: 'data',
  });
  assert.equal(model.figures.numSent, 0);
});
