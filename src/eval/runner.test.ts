// Benchmarks end to end on drawn items with a stand-in model: outcomes, resume, identity, references.
import assert from 'node:assert/strict';
import {
  appendFileSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import sharp from 'sharp';
import { silentLog } from '../core/log.ts';
import { decodeImage } from '../image/decode.ts';
import { writeManifest } from '../sample/manifest.ts';
import type { Sample } from '../sample/sample.ts';
import { createShardWriter } from '../sample/webdataset.ts';
import type { Benchmark, ExactScorer } from './benchmark.ts';
import type { EvalModel, ModelRequest } from './eval-model.ts';
import { evaluatedItems } from './report/evaluated.ts';
import { evaluate } from './runner.ts';
import { byPmi } from './scorers/choice.ts';

const root = mkdtempSync(join(tmpdir(), 'onevision-eval-'));
test.after(() => rmSync(root, { recursive: true, force: true }));

const ITEMS = 12;
const exact: Benchmark = {
  name: 'levels',
  title: 'grey levels',
  data: 'levels',
  scorer: {
    kind: 'exact',
    prompt: '{question} Briefly.',
    normaliser: 'number',
    decoding: { maxNewTokens: 4, temperature: 0 },
  },
  denominator: ITEMS,
  clusters: 'none',
};
const choice: Benchmark = { ...exact, name: 'choice', scorer: byPmi(), clusters: 'group' };

/** Item `i` shows the grey level `i`; its answer is that number. Item 5 has a broken picture. */
async function item(level: number): Promise<Sample> {
  const create = {
    width: 28,
    height: 28,
    channels: 3,
    background: { r: level, g: level, b: level },
  };
  const png = await sharp({ create: { ...create, channels: 3 } })
    .png()
    .toBuffer();
  const bytes = level === 5 ? new Uint8Array([1, 2, 3]) : png;
  return {
    uid: `level:${level}`,
    source: 'drawn',
    group: `pair:${level >> 1}`,
    split: 'test',
    messages: [
      { role: 'user', content: '<image>Which level?' },
      { role: 'assistant', content: String(level) },
    ],
    images: [{ name: 'img0.png', bytes }],
    meta: {
      answer: String(level),
      options: [String(level), String(level + 100), '7000'],
      concepts: [level < 6 ? 'frequent' : 'rare'],
    },
  };
}

test.before(async () => {
  const writer = createShardWriter(join(root, 'levels'));
  for (let level = 0; level < ITEMS; level++) await writer.write(await item(level));
  const files = await writer.close();
  const manifest = { stage: 'synth', configHash: 'x', counts: { samples: ITEMS }, stats: {} };
  const fixed = { format: 'onevision/1', kind: 'samples' } as const;
  await writeManifest(join(root, 'levels'), { ...fixed, ...manifest, files });
});

interface Seen {
  readonly level: number;
  readonly request: ModelRequest;
}

/** Reads the level from the pixels. Says it, except: 3 wrong, 4 nonsense, 6 too long. */
function standIn(identity = 'a', stopAt = Number.POSITIVE_INFINITY) {
  const asked: string[] = [];
  const model: EvalModel<Seen> = {
    identity,
    async prepare(request) {
      const { data } = await decodeImage(request.images[0]?.bytes ?? new Uint8Array());
      const level = data[0] ?? -1;
      return { level, request };
    },
    cannot: () => undefined,
    async write(requests, _, onReply) {
      requests.forEach(({ level, request }, index) => {
        if (level >= stopAt) throw new Error('power cut');
        asked.push(request.messages.at(-1)?.content ?? '');
        const text = level === 3 ? '99' : level === 4 ? 'hm' : `It is ${level}`;
        onReply(index, { text, truncated: level === 6 });
      });
    },
    async score(batch) {
      return batch.map(({ level, request }) => {
        const reply = request.messages.at(-1)?.content ?? '';
        asked.push(`${level} ${reply}`);
        // "7000" is very likely whatever is shown: only PMI sees through it.
        const bonus = reply === '7000' ? 50 : 0;
        return { sumLogProb: (reply === String(level) ? -1 : -20) + bonus, numTokens: 1 };
      });
    },
  };
  return { model, asked };
}

const run = (model: EvalModel<Seen>, benchmark: Benchmark, folder: string, window = 256) =>
  evaluate({
    model,
    benchmarks: [benchmark],
    data: root,
    output: join(root, folder),
    concepts: new Map([
      ['frequent', 30],
      ['rare', 2],
      ['other', 20],
    ]),
    window,
    log: silentLog,
  });

test('every outcome is typed and stays in the denominator', async () => {
  const { model, asked } = standIn();
  const [summary] = await run(model, exact, 'out');
  assert.deepEqual(summary?.outcomes, {
    correct: 8,
    wrong: 1,
    unparsed: 1,
    truncated: 1,
    refused: 0,
    'model-error': 0,
    'judge-error': 0,
    skipped: 1,
  });
  assert.equal(summary.accuracy, 8 / 12);
  assert.equal(summary.intervalMethod, 'wilson');
  assert.deepEqual(summary.bands?.head, { items: 6, correct: 3, accuracy: 0.5 });
  assert.deepEqual(summary.bands.tail, { items: 6, correct: 5, accuracy: 5 / 6 });
  assert.equal(asked[0], '<image>Which level? Briefly.');
  const lines = readFileSync(join(root, 'out/levels/samples.jsonl'), 'utf8').trim().split('\n');
  const rows = lines.map((line): { uid: string; reason?: string } => JSON.parse(line));
  assert.deepEqual(
    rows.map((row) => row.uid),
    Array.from({ length: 12 }, (_, i) => `level:${i}`),
  );
  assert.match(rows[5]?.reason ?? '', /image/i);
});

test('captions: BLEU-4 and CIDEr-D over all items beside the share of equal ones', async () => {
  const captions: Benchmark = {
    ...exact,
    name: 'captions',
    scorer: { ...exact.scorer, captions: true } as ExactScorer,
  };
  const [summary] = await run(standIn().model, captions, 'captions');
  assert.equal(summary?.accuracy, 8 / 12);
  assert.equal(summary.captions?.bleu4, 0, 'no run of four words is right');
  assert.ok((summary.captions?.cider ?? 0) > 0.1);
});

test('a finished score is not asked again; other weights, prompts or limits are', async () => {
  const again = standIn();
  await run(again.model, exact, 'out');
  assert.equal(again.asked.length, 0);
  const other = standIn('b');
  await run(other.model, exact, 'out');
  assert.equal(other.asked.length, 11);
  const first = await run(standIn().model, exact, 'x1');
  const limited = await evaluate({
    model: standIn().model,
    benchmarks: [exact],
    data: root,
    output: join(root, 'x2'),
    limit: 4,
    log: silentLog,
  });
  assert.equal(limited[0]?.items, 4);
  assert.notEqual(first[0]?.identity, limited[0].identity);
});

test('killed between windows: no item asked twice, none lost, a torn line redone', async () => {
  const stopped = standIn('a', 8);
  await assert.rejects(run(stopped.model, exact, 'resumed', 4), /power cut/);
  const folder = join(root, 'resumed/levels');
  assert.ok(!existsSync(join(folder, 'summary.json')));
  const answers = readdirSync(folder).find((name) => name.startsWith('answers')) ?? '';
  const shards = readdirSync(join(folder, answers));
  assert.deepEqual(shards.sort(), ['0000000-4.jsonl', '0000004-8.jsonl', '0000008-12.partial']);
  appendFileSync(join(folder, answers, '0000008-12.partial'), '{"uid":"level:8","torn');
  const rest = standIn();
  const [summary] = await run(rest.model, exact, 'resumed', 4);
  assert.equal(stopped.asked.length + rest.asked.length, 11);
  assert.deepEqual(summary, (await run(standIn().model, exact, 'whole'))[0]);
  assert.deepEqual(readdirSync(folder).sort(), ['samples.jsonl', 'summary.json']);
});

test('evaluated items come with picture, answer and truth, in order', async () => {
  await run(standIn().model, exact, 'shown');
  const output = join(root, 'shown');
  const items = await evaluatedItems(exact, { data: root, output, count: 4 });
  assert.deepEqual(
    items.map((one) => one.isCorrect),
    [true, true, true, false],
  );
  assert.equal(items[3]?.prediction, '99');
  assert.equal(items[3].answer, '3');
  const nowhere = { data: root, output: join(root, 'never'), count: 4 };
  await assert.rejects(evaluatedItems(exact, nowhere), { code: 'data' });
});

test('choice by PMI: sees through what is likely anyway, asks the other pictures once', async () => {
  const { model, asked } = standIn();
  const [summary] = await run(model, choice, 'out', 5);
  assert.equal(summary?.outcomes.correct, 11);
  assert.equal(summary.outcomes.skipped, 1);
  assert.equal(summary.intervalMethod, 'cluster-bootstrap');
  // 11 readable items have 2 options of their own each and share one; 8 pictures are references.
  assert.equal(asked.length, 11 * 3 + 8 * (11 * 2 + 1));
});

test('a wrong count, missing data and a malformed item are named', async () => {
  const { model } = standIn();
  await assert.rejects(run(model, { ...exact, denominator: 13 }, 'e'), /expected 13 items/);
  await assert.rejects(run(model, { ...exact, data: 'nowhere' }, 'e'), { code: 'data' });
  const writer = createShardWriter(join(root, 'bad'));
  await writer.write({ ...(await item(1)), meta: {} });
  const files = await writer.close();
  const manifest = { stage: 'synth', configHash: 'x', counts: {}, stats: {}, files };
  await writeManifest(join(root, 'bad'), { format: 'onevision/1', kind: 'samples', ...manifest });
  const bad: Benchmark = { ...exact, data: 'bad', denominator: 'manifest' };
  await assert.rejects(run(model, bad, 'e'), /a question and its answer in item level:1/);
});
