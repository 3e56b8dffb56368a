// An endpoint under evaluation that hangs, talks junk, asks to slow down, cuts off, refuses, writes more
// than it may, or is down: each a typed reply or a named error, and no question is paid for twice.

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import sharp from 'sharp';
import { startLoopback, stopLoopback } from '../../../test/support/loopback.ts';
import type { Reply } from '../eval-model.ts';
import { type EndpointModel, endpointModel } from './endpoint-model.ts';

const root = mkdtempSync(join(tmpdir(), 'onevision-endpoint-'));
interface Body {
  readonly model: string;
  readonly max_tokens: number;
  readonly temperature: number;
  readonly seed: number;
  readonly stop?: readonly string[];
  readonly messages: readonly { readonly role: string; readonly content: unknown }[];
}
let answer: (body: Body, response: ServerResponse, visit: number) => void = () => undefined;
const visits = new Map<string, number>();
const bodies: Body[] = [];
const server = createServer((request, response) => {
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => {
    const text = Buffer.concat(chunks).toString();
    const visit = visits.get(text) ?? 0;
    visits.set(text, visit + 1);
    const body: Body = JSON.parse(text);
    bodies.push(body);
    answer(body, response, visit);
  });
});
let url = '';
before(async () => {
  url = `${await startLoopback(server)}/v1`;
});
after(async () => {
  await stopLoopback(server);
  rmSync(root, { recursive: true, force: true });
});

function say(response: ServerResponse, content: string, finish = 'stop', tokens = 3): void {
  const choices = [{ message: { role: 'assistant', content }, finish_reason: finish }];
  const usage = { prompt_tokens: 10, completion_tokens: tokens };
  response.writeHead(200).end(JSON.stringify({ choices, usage }));
}

const open = (name: string, timeoutMs = 300): EndpointModel => {
  visits.clear();
  bodies.length = 0;
  const cache = join(root, `${name}.sqlite`);
  return endpointModel({ url, model: 'm', cache, timeoutMs, backoffMs: 2, maxRetries: 3 });
};

async function ask(model: EndpointModel, texts: readonly string[]): Promise<Reply[]> {
  const background = '#c33';
  const create = { width: 28, height: 28, channels: 3 as const, background };
  const images = [{ name: 'img0.png', bytes: await sharp({ create }).png().toBuffer() }];
  const requests = await Promise.all(
    texts.map((text, index) => {
      const messages = [{ role: 'user', content: `<image>${text}` } as const];
      return model.prepare({ uid: `q${index}`, messages, images }, 'generate');
    }),
  );
  const replies: Reply[] = [];
  const decoding = { maxNewTokens: 16, temperature: 0, until: ['END'] };
  await model.write(requests, decoding, (index, reply) => {
    replies[index] = reply;
  });
  return replies;
}

const question = ({ messages }: Body): string => JSON.stringify(messages.at(-1)?.content);

test('what the benchmark wants is sent: limit, temperature, stops, picture before text', async () => {
  answer = (_, response) => say(response, 'B');
  using model = open('sent');
  assert.deepEqual(await ask(model, ['one']), [{ text: 'B', truncated: false, refused: false }]);
  const [body] = bodies;
  assert.equal(body?.max_tokens, 16);
  assert.deepEqual([body.temperature, body.stop, body.model], [0, ['END'], 'm']);
  assert.match(question(body), /^\[\{"type":"image_url".*data:image\/png;base64,.*"text":"one"/);
  await ask(model, ['one']);
  assert.equal(model.figures.numSent, 1, 'an answer is kept');
});

test('hanging, junk, 429 and 500 are tried again and paid once', async () => {
  answer = (body, response, visit) => {
    const text = question(body);
    if (visit === 0 && text.includes('hangs')) return;
    if (visit === 0 && text.includes('junk')) response.writeHead(200).end('<html>hello</html>');
    else if (visit === 0 && text.includes('other')) response.writeHead(200).end('{"ok":true}');
    else if (visit < 2 && text.includes('busy'))
      response.writeHead(429, { 'retry-after': '0.02' }).end();
    else if (visit === 0 && text.includes('fails')) response.writeHead(500).end('oh');
    else say(response, 'A');
  };
  using model = open('again');
  const replies = await ask(model, ['hangs', 'junk', 'other', 'busy', 'fails', 'well']);
  assert.ok(replies.every(({ text }) => text === 'A'));
  assert.equal(model.figures.numRetries, 6);
});

test('cut, filtered, refused and overlong answers are typed, not wrong', async () => {
  answer = (body, response) => {
    const text = question(body);
    if (text.includes('cut')) say(response, 'It might', 'length');
    else if (text.includes('filter')) say(response, '', 'content_filter');
    else if (text.includes('bad')) response.writeHead(400).end('no such picture');
    else if (text.includes('long')) say(response, 'A very long story', 'stop', 4096);
    else if (text.includes('never')) response.writeHead(503).end();
    else say(response, 'A');
  };
  using model = open('typed');
  const [cut, filtered, bad, long, never, well] = await ask(model, [
    'cut',
    'filter',
    'bad',
    'long',
    'never',
    'well',
  ]);
  assert.deepEqual(cut, { text: 'It might', truncated: true, refused: false });
  assert.equal(filtered?.refused, true);
  assert.match(bad?.failure ?? '', /answered 400: no such picture/);
  assert.match(long?.failure ?? '', /wrote 4096 tokens where 16 are allowed/);
  assert.match(never?.failure ?? '', /answered 503/);
  assert.equal(well?.text, 'A');
});

test('an endpoint that is down, or refuses the key, ends the run with a named error', async () => {
  const many = Array.from({ length: 60 }, (_, index) => `question ${index}`);
  answer = (_, response) => response.writeHead(500).end();
  using down = open('down');
  await assert.rejects(ask(down, many), {
    code: 'data',
    message: /Expected answers from .*none 20 times in a row; last: the endpoint answered 500/,
  });
  answer = (_, response) => response.writeHead(401).end('who?');
  using closed = open('closed');
  await assert.rejects(ask(closed, ['one']), { code: 'usage', message: /got 401/ });
});

test('what an endpoint cannot do is said before it is asked', async () => {
  using model = open('cannot');
  assert.match(model.cannot('score') ?? '', /no likelihood/);
  const decoding = { maxNewTokens: 4, temperature: 0, until: ['a', 'b', 'c', 'd', 'e'] };
  assert.match(model.cannot(decoding) ?? '', /4 stop texts, not 5/);
  const images = [{ name: 'img0.png', bytes: new Uint8Array([1, 2, 3]) }];
  const messages = [{ role: 'user', content: '<image>What?' } as const];
  await assert.rejects(model.prepare({ uid: 'x', messages, images }, 'generate'), { code: 'data' });
});
