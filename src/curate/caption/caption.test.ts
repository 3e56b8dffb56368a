// Captioning against a real server on this machine that answers well, asks to slow down, fails,
// hangs, cuts answers off, talks junk, refuses and repeats itself.

import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { startLoopback, stopLoopback } from '../../../test/support/loopback.ts';
import { drawPng, drawSvg, rawSample, writeRaw } from '../../../test/support/raw-samples.ts';
import { sha256Hex } from '../../core/hash.ts';
import { silentLog as log } from '../../core/log.ts';
import { createGate } from '../../endpoint/gate.ts';
import { type LedgerRow, readLedger } from '../../sample/ledger.ts';
import { readSamples } from '../../sample/webdataset.ts';
import { type CaptionOptions, caption } from './caption.ts';
import { choosePrompt, readPrompts } from './prompts.ts';
import { invalidReason, repetition } from './validity.ts';

const root = mkdtempSync(join(tmpdir(), 'caption-'));
const GOOD =
  'A drawing of several coloured circles on a white ground; the largest one is near the middle.';
const NUM = 24;

type Mode = (body: { seed: number }, response: ServerResponse, visit: number) => void;
/** How the server treats the requests of one picture, by the order of its visits. */
let mode: Mode = () => undefined;
const visits = new Map<string, number>();
let numPaid = 0;
let numAtOnce = 0;
let mostAtOnce = 0;

const completion = (text: string, finish = 'stop'): string =>
  JSON.stringify({
    choices: [{ message: { role: 'assistant', content: text }, finish_reason: finish }],
    usage: { prompt_tokens: 100, completion_tokens: 20 },
  });
function pay(response: ServerResponse, text: string, finish?: string): void {
  numPaid += 1;
  response.writeHead(200, { 'content-type': 'application/json' }).end(completion(text, finish));
}

const server = createServer((request: IncomingMessage, response: ServerResponse) => {
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => {
    const text = Buffer.concat(chunks).toString();
    const body = JSON.parse(text);
    assert.equal(request.headers.authorization, 'Bearer secret');
    const image: string = body.messages[1].content[0].image_url.url;
    assert.match(image, /^data:image\/jpeg;base64,/);
    const key = sha256Hex(image);
    const visit = visits.get(key) ?? 0;
    visits.set(key, visit + 1);
    numAtOnce += 1;
    mostAtOnce = Math.max(mostAtOnce, numAtOnce);
    response.on('close', () => {
      numAtOnce -= 1;
    });
    setTimeout(() => mode(body, response, visit), 2);
  });
});
let url = '';
before(async () => {
  const list = Array.from({ length: NUM }, async (_, i) => {
    const image = await drawPng(drawSvg(i + 1));
    return await rawSample({ uid: `c:${i}`, label: `thing ${i}`, image });
  });
  await writeRaw(join(root, 'raw'), await Promise.all(list), 10);
  url = `${await startLoopback(server)}/v1`;
});
after(async () => {
  await stopLoopback(server);
  rmSync(root, { recursive: true });
});

function options(name: string, how: Mode, config = {}): CaptionOptions {
  mode = how;
  visits.clear();
  numPaid = 0;
  mostAtOnce = 0;
  const transport = { url, apiKey: 'secret', timeoutMs: 60_000, backoffMs: 5, maxRetries: 4 };
  return {
    input: join(root, 'raw'),
    output: join(root, name),
    cache: join(root, `${name}.sqlite`),
    config: { model: 'm', languages: { en: 1 }, ...config },
    transport,
    log,
  };
}

async function ledger(name: string): Promise<LedgerRow[]> {
  return await Array.fromAsync(readLedger(join(root, name, 'ledger.jsonl')));
}

test('good answers become captions; the same command again asks for nothing', async () => {
  const given = options('good', (_, response) => pay(response, GOOD));
  const { counts } = await caption(given);
  assert.deepEqual(counts, {
    samples: NUM,
    input: NUM,
    keep: NUM,
    promptTokens: NUM * 100,
    completionTokens: NUM * 20,
  });
  const samples = await Array.fromAsync(readSamples(join(root, 'good')));
  assert.equal(samples.length, NUM);
  assert.equal(samples[3]?.messages[1]?.content, GOOD);
  assert.equal(samples[3]?.meta['originalCaption'], 'Thing 3.');
  const files = ['caption-000000.tar', 'ledger.jsonl', 'manifest.json'];
  const bytes = files.map((file) => readFileSync(join(root, 'good', file)));
  await caption(given);
  rmSync(join(root, 'good'), { recursive: true });
  await caption(given);
  assert.equal(numPaid, NUM);
  assert.deepEqual(
    files.map((file) => readFileSync(join(root, 'good', file))),
    bytes,
  );
});

test('429, 500, a hang, a cut and junk are tried again and paid once', async () => {
  const given = options('rough', (_, response, visit) => {
    if (visit === 0) response.writeHead(429, { 'retry-after': '0.01' }).end('slow down');
    else if (visit === 1) response.writeHead(500).end('oops');
    else if (visit === 2) {
      response.writeHead(200, { 'content-length': '1000' });
      response.write('{"choices": [');
      setTimeout(() => response.destroy(), 5);
    } else if (visit === 3) response.writeHead(200).end('<html>proxy</html>');
    else pay(response, GOOD);
  });
  const { counts } = await caption(given);
  assert.equal(counts['keep'], NUM);
  assert.equal(numPaid, NUM);
  const slow = options('slow', (_, response, visit) => {
    if (visit > 0 || visits.size > 2) pay(response, GOOD); // two pictures hang at first
  });
  const hasty = { ...slow, transport: { ...slow.transport, timeoutMs: 1000, maxRetries: 9 } };
  assert.equal((await caption(hasty)).counts['keep'], NUM);
});

test('a run that fails in the middle is resumed without paying twice', async () => {
  let numLeft = 10;
  const given = options('torn', (_, response) => {
    numLeft -= 1;
    if (numLeft >= 0) pay(response, GOOD);
    else response.writeHead(500).end();
  });
  const quick = { ...given, transport: { ...given.transport, maxRetries: 0 } };
  await assert.rejects(
    caption(quick),
    /got 1\d|none for 20 samples in a row|at most 10 bad samples/,
  );
  assert.equal(numPaid, 10);
  mode = (_, response) => pay(response, GOOD);
  assert.equal((await caption(given)).counts['keep'], NUM);
  assert.equal(numPaid, NUM);
});

test('answers that are no captions are asked for once more, then dropped with their reason', async () => {
  const kinds: Record<number, (response: ServerResponse) => void> = {
    0: (response) => pay(response, 'I’m sorry, but I cannot describe this picture at all.'),
    1: (response) => pay(response, 'A dog and a cat sit here. '.repeat(12)),
    2: (response) => pay(response, 'Red.'),
    3: (response) => pay(response, GOOD, 'length'),
    4: (response) =>
      pay(response, 'Auf diesem Bild sieht man mehrere bunte Kreise auf weißem Grund.'),
    5: (response) => response.writeHead(400).end('bad picture'),
  };
  const order: string[] = [];
  const given = options('faults', () => undefined, { maxErrorRate: 0.5 });
  // The kind goes by the order in which pictures come first, so concurrency is one.
  const one = { ...given, transport: { ...given.transport, maxConcurrency: 1 } };
  let current = -1;
  mode = ({ seed }, response) => {
    if (seed === 0) {
      current += 1;
      order.push(String(current));
    }
    const fault = kinds[current];
    if (fault === undefined || (current === 1 && seed === 1)) pay(response, GOOD);
    else fault(response);
  };
  const { counts } = await caption(one);
  const reasons = (await ledger('faults')).slice(0, 6).map((row) => `${row.verdict} ${row.reason}`);
  assert.deepEqual(reasons, [
    'drop caption: refusal',
    'keep captioned',
    'drop caption: too-short',
    'drop caption: truncated',
    'drop caption: language',
    'error caption: the endpoint answered 400: bad picture',
  ]);
  assert.equal(counts['samples'], NUM - 5);
  assert.equal((await ledger('faults')).length, NUM);
});

test('an endpoint that refuses the key stops at once', async () => {
  const given = options('key', (_, response) => response.writeHead(401).end('who are you'));
  await assert.rejects(caption(given), (error: Error) =>
    /got 401: who are you/.test(error.message),
  );
  await assert.rejects(
    caption({ ...given, config: { model: 'm', languages: { xx: 1 } } }),
    /prompts for "xx"/,
  );
});

test('concurrency grows with success and stays below its limit', async () => {
  const given = options('many', (_, response) => setTimeout(() => pay(response, GOOD), 30));
  await caption({ ...given, transport: { ...given.transport, maxConcurrency: 6 } });
  assert.ok(mostAtOnce > 4 && mostAtOnce <= 6, `${mostAtOnce}`);
});

test('the gate halves on overload, once a round, and waits as long as it is told', async () => {
  let clock = 0;
  const gate = createGate({ start: 8, max: 16, now: () => clock });
  for (let i = 0; i < 8; i++) await gate.enter();
  gate.leave('overload', 50);
  gate.leave('overload', 50);
  assert.equal(gate.limit, 4);
  let isIn = false;
  const entered = gate.enter().then(() => {
    isIn = true;
  });
  for (let i = 0; i < 6; i++) gate.leave('good');
  await Promise.resolve();
  assert.equal(isIn, false, 'closed while it was told to wait');
  clock = 60;
  await entered;
  assert.equal(gate.numActive, 1);
});

test('prompts: languages by weight, stable for a sample', () => {
  const table = readPrompts();
  const counts: Record<string, number> = {};
  for (let i = 0; i < 4000; i++) {
    const { language, user } = choosePrompt(`u${i}`, 1, { en: 65, zh: 20 }, table);
    assert.deepEqual(choosePrompt(`u${i}`, 1, { en: 65, zh: 20 }, table).user, user);
    counts[language] = (counts[language] ?? 0) + 1;
  }
  assert.ok(Math.abs((counts['zh'] ?? 0) / 4000 - 20 / 85) < 0.03);
});

test('refusals and repetitions in other languages', () => {
  const table = readPrompts();
  const config = { minChars: 5, maxChars: 500, maxRepetition: 0.3 };
  const check = (text: string, language: string): string | undefined =>
    invalidReason(
      { text, finish: 'stop', promptTokens: 0, completionTokens: 0 },
      language,
      table[language]?.refusals ?? [],
      config,
    );
  assert.equal(check('抱歉，我无法描述这张图片。', 'zh'), 'refusal');
  assert.equal(check('图片中央有一只橙色的猫，坐在木桌上，旁边放着一杯咖啡。', 'zh'), undefined);
  assert.equal(check('Es tut mir leid, das kann ich nicht beschreiben.', 'de'), 'refusal');
  assert.equal(check('猫在桌上。'.repeat(10), 'zh'), 'repetition');
  assert.equal(repetition('one two three'), 0);
});
