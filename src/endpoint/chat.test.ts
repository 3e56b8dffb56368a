// One request and every way in which it can end: a date to come back, answers that are too long, empty or
// moved elsewhere, and what each status means. What a whole run makes of them is tested with eval and caption.

import assert from 'node:assert/strict';
import { createServer, type ServerResponse } from 'node:http';
import { after, before, test } from 'node:test';
import { startLoopback, stopLoopback } from '../../test/support/loopback.ts';
import { openCache } from './answers.ts';
import { ask, RequestFailure } from './chat.ts';

let reply: (response: ServerResponse) => void = () => undefined;
const seen: (string | undefined)[] = [];
const server = createServer((request, response) => {
  seen.push(`${request.url} ${request.headers.authorization}`);
  request.resume().on('end', () => reply(response));
});
let url = '';
before(async () => {
  url = `${await startLoopback(server)}/v1`;
});
after(async () => {
  await stopLoopback(server);
});

const question = {
  messages: [{ role: 'user', content: 'Hi' }],
  maxTokens: 4,
  temperature: 0,
  seed: 1,
} as const;
const asked = () => ask(question, { url, model: 'm', apiKey: 'secret', timeoutMs: 5000 });

async function failure(): Promise<RequestFailure> {
  try {
    await asked();
  } catch (error) {
    assert.ok(error instanceof RequestFailure, String(error));
    return error;
  }
  throw new Error('expected a failure');
}

test('what each status means: slow down, try again, not this one', async () => {
  for (const [status, kind] of [
    ...([429, 503, 529] as const).map((code) => [code, 'overload'] as const),
    ...([408, 500, 502] as const).map((code) => [code, 'retry'] as const),
    ...([400, 413, 422] as const).map((code) => [code, 'refused'] as const),
  ]) {
    reply = (response) => response.writeHead(status).end('why');
    assert.equal((await failure()).kind, kind, String(status));
  }
});

test('a time to wait, in seconds or as a date, and never longer than a minute', async () => {
  const after = async (value: string): Promise<number> => {
    reply = (response) => response.writeHead(429, { 'retry-after': value }).end();
    return (await failure()).waitMs;
  };
  assert.equal(await after('2'), 2000);
  assert.equal(await after('86400'), 60_000);
  const inHalfAMinute = await after(new Date(Date.now() + 30_000).toUTCString());
  assert.ok(inHalfAMinute > 20_000 && inHalfAMinute <= 30_000, String(inHalfAMinute));
  assert.equal(await after('Thu, 01 Jan 1970 00:00:00 GMT'), 0);
  assert.equal(await after('soon'), 0);
});

test('an answer without end is given up, an empty one is empty, a redirect is not followed', async () => {
  reply = (response) => response.writeHead(200).end('x'.repeat(1024 * 1024 + 1));
  assert.match((await failure()).message, /more than 1048576 bytes/);
  reply = (response) =>
    response.writeHead(200).end('{"choices":[{"message":{"content":null},"finish_reason":null}]}');
  assert.deepEqual(await asked(), {
    text: '',
    finish: 'stop',
    promptTokens: 0,
    completionTokens: 0,
  });
  seen.length = 0;
  reply = (response) => response.writeHead(307, { location: `${url}/elsewhere` }).end();
  assert.equal((await failure()).kind, 'retry');
  assert.deepEqual(seen, ['/v1/chat/completions Bearer secret'], 'the key goes nowhere else');
});

test('a connection that breaks in the middle of an answer is tried again', async () => {
  reply = (response) => {
    response.writeHead(200, { 'content-length': '100' }).write('{"choices"');
    setTimeout(() => response.destroy(), 20);
  };
  assert.equal((await failure()).kind, 'retry');
});

test('a file that is no cache of answers is named', () => {
  assert.throws(() => openCache('package.json'), {
    code: 'data',
    message: /Expected a cache of answers at package\.json/,
  });
});
