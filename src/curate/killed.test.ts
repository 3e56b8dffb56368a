// Mixing, matching, downloading and captioning killed at moments spread over a run, then run again:
// the folder is that of an uninterrupted run, and no answer is paid for twice but those on their way.
// Mixing and matching by several processes, one of them killed: likewise.

import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { writeConceptFolder } from '../../test/support/concept-folder.ts';
import { killFirstChild } from '../../test/support/kill-child.ts';
import { startLoopback, stopLoopback } from '../../test/support/loopback.ts';
import { drawPng, drawSvg, rawSample, writeRaw } from '../../test/support/raw-samples.ts';
import { coin, sha256Hex } from '../core/hash.ts';

const root = mkdtempSync(join(tmpdir(), 'killed-'));
const NUM = 40;
const CONCURRENCY = 4;
/** More of them by hand: ONEVISION_KILLS=20. */
const NUM_KILLS = Number(process.env['ONEVISION_KILLS'] ?? 2);

let numPaid = 0;
let pictures: readonly Uint8Array[] = [];
const server = createServer((request, response) => {
  if (request.method === 'GET') {
    const picture = pictures[Number(request.url?.slice(1))];
    setTimeout(() => response.writeHead(picture === undefined ? 404 : 200).end(picture), 5);
    return;
  }
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => {
    numPaid += 1;
    const name = sha256Hex(Buffer.concat(chunks).toString()).slice(0, 6);
    const content = `A drawing of several coloured circles on a white ground, the one called ${name}.`;
    const choices = [{ message: { role: 'assistant', content }, finish_reason: 'stop' }];
    const usage = { prompt_tokens: 10, completion_tokens: 5 };
    response.writeHead(200, { 'content-type': 'application/json' });
    setTimeout(() => response.end(JSON.stringify({ choices, usage })), 20);
  });
});
let url = '';
before(async () => {
  pictures = await Promise.all(Array.from({ length: NUM }, (_, i) => drawPng(drawSvg(1 + i))));
  const samples = pictures.map((image, i) =>
    rawSample({
      uid: `k:${i}`,
      label: `thing ${i}`,
      source: i % 3 === 0 ? 'chat' : 'ocr/pages',
      image,
    }),
  );
  await writeRaw(join(root, 'raw'), await Promise.all(samples), 10);
  const last = readFileSync(join(root, 'raw', 'raw-000003.tar'));
  writeFileSync(join(root, 'raw', 'raw-000004.tar'), last.subarray(0, 700)); // cut: lost records
  await writeConceptFolder(join(root, 'list'), [{ name: 'thing' }]);
  const categories = [
    { name: 'talk', weight: 1, sources: [{ name: 'chat' }] },
    { name: 'pages', weight: 2, sources: [{ name: 'ocr/*' }] },
  ];
  const mixture = { name: 'two', categories, samplesPerShard: 7 };
  writeFileSync(join(root, 'mixture.mjs'), `export default ${JSON.stringify(mixture)};`);
  const address = await startLoopback(server);
  url = `${address}/v1`;
  const rows = Array.from({ length: NUM + 2 }, (_, i) => ({
    url: `${address}/${i}`,
    text: 'a thing',
  }));
  const lines = rows.map((row) => `${JSON.stringify(row)}\n`);
  writeFileSync(join(root, 'addresses.jsonl'), lines.join(''));
});
after(async () => {
  await stopLoopback(server);
  rmSync(root, { recursive: true });
});

/** Says `ready` when everything is loaded, so that kills meet the work and not the start. */
function start(script: string): ChildProcess {
  const flags = ['--disable-warning=ExperimentalWarning', '--input-type=module'];
  return spawn(process.execPath, [...flags, '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
}

async function runToEnd(child: ChildProcess, killAfterMs?: number): Promise<number> {
  const end = new Promise<number | null>((resolve) => child.once('exit', resolve));
  await new Promise((resolve) => child.stdout?.once('data', resolve));
  const begun = performance.now();
  const timer =
    killAfterMs === undefined ? undefined : setTimeout(() => child.kill('SIGKILL'), killAfterMs);
  const code = await end;
  clearTimeout(timer);
  if (killAfterMs === undefined) assert.equal(code, 0);
  return performance.now() - begun;
}

/** File → hash of its bytes. */
function digest(folder: string): Record<string, string> {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true });
  return Object.fromEntries(
    files
      .filter((entry) => entry.isFile())
      .map(({ parentPath, name }) => join(parentPath, name))
      .sort()
      .map((path) => [path.slice(folder.length), sha256Hex(readFileSync(path))]),
  );
}

type Script = (output: string, workers: number) => string;

async function assertSurvives(
  name: string,
  script: Script,
  check: (k: number) => void = () => undefined,
): Promise<void> {
  const whole = join(root, `${name}-whole`);
  const wholeMs = await runToEnd(start(script(whole, 1)));
  for (let k = 0; k < NUM_KILLS; k++) {
    numPaid = 0;
    const output = join(root, `${name}-${k}`);
    const delayMs = ((k + coin(name, k)) / NUM_KILLS) * wholeMs;
    await runToEnd(start(script(output, 1)), delayMs);
    await runToEnd(start(script(output, 1)));
    assert.deepEqual(digest(output), digest(whole), `killed after ${delayMs} of ${wholeMs} ms`);
    check(k);
  }
}

/** After `assertSurvives`: 2 and 7 processes, and 2 of which one is killed. */
async function assertSameByMany(name: string, script: Script): Promise<void> {
  const whole = digest(join(root, `${name}-whole`));
  for (const workers of [2, 7]) {
    const output = join(root, `${name}-by-${workers}`);
    await runToEnd(start(script(output, workers)));
    assert.deepEqual(digest(output), whole, `${workers} processes`);
  }
  const output = join(root, `${name}-maimed`);
  const child = start(script(output, 2));
  const end = runToEnd(child);
  assert.ok(await killFirstChild(child.pid ?? 0));
  await end;
  assert.deepEqual(digest(output), whole, 'one of 2 killed');
}

const address = (path: string): string => JSON.stringify(new URL(path, import.meta.url).href);

const mixScript: Script = (output, workers) => `
  import { loadMixture } from ${address('./mixture/load.ts')};
  import { mix } from ${address('./mixture/mix.ts')};
  const config = await loadMixture(${JSON.stringify(join(root, 'mixture.mjs'))});
  console.log('ready');
  await mix({ inputs: [${JSON.stringify(join(root, 'raw'))}], output: ${JSON.stringify(output)},
    config, workers: ${workers} });`;

const matchScript: Script = (output, workers) => `
  import { matchSource } from ${address('./concepts/match-source.ts')};
  console.log('ready');
  await matchSource({ input: ${JSON.stringify(join(root, 'raw'))}, output: ${JSON.stringify(output)},
    concepts: { list: ${JSON.stringify(join(root, 'list'))} }, workers: ${workers} });`;

test('curate mix', async () => {
  await assertSurvives('mix', mixScript);
  await assertSameByMany('mix', mixScript);
});

test('concepts match', async () => {
  await assertSurvives('match', matchScript);
  await assertSameByMany('match', matchScript);
});

test('download', async () => {
  await assertSurvives(
    'download',
    (output) => `
      import { download } from ${address('../sample/download/download.ts')};
      console.log('ready');
      await download({ table: ${JSON.stringify(join(root, 'addresses.jsonl'))},
        output: ${JSON.stringify(output)}, rowsPerShard: 10, delayMs: 0, allow: ['127.0.0.1'] });`,
  );
});

test('caption', async () => {
  await assertSurvives(
    'caption',
    (output) => `
      import { caption } from ${address('./caption/caption.ts')};
      console.log('ready');
      await caption({ input: ${JSON.stringify(join(root, 'raw'))},
        output: ${JSON.stringify(output)}, cache: ${JSON.stringify(`${output}.sqlite`)},
        config: { model: 'm', languages: { en: 1 } },
        transport: { url: ${JSON.stringify(url)}, maxConcurrency: ${CONCURRENCY} } });`,
    () => assert.ok(numPaid <= NUM + CONCURRENCY, `${numPaid} answers for ${NUM} pictures`),
  );
});
