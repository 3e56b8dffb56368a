// The downloader against a real server on this machine: what is fetched, refused, retried; politeness;
// no way to an address that is not public.

import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { startLoopback, stopLoopback } from '../../../test/support/loopback.ts';
import { drawPng, drawSvg } from '../../../test/support/raw-samples.ts';
import { sha256Hex } from '../../core/hash.ts';
import { silentLog as log } from '../../core/log.ts';
import { openColumns, sqlText } from '../columns.ts';
import { readLedger } from '../ledger.ts';
import { readSamples } from '../webdataset.ts';
import { isPublic, pinnedLookup } from './address.ts';
import { download } from './download.ts';
import { optsOut } from './fetch-image.ts';
import { createHosts } from './hosts.ts';

const root = mkdtempSync(join(tmpdir(), 'download-'));
const png = Buffer.from(await drawPng(drawSvg(5)));
const visits = new Map<string, number>();
let isWell = false;

const PAGES: Readonly<Record<string, (response: ServerResponse) => void>> = {
  '/good.png': (r) => void r.end(png),
  '/typed.png': (r) => void r.writeHead(200, { 'content-type': 'text/plain' }).end(png),
  '/html': (r) => void r.writeHead(200, { 'content-type': 'image/png' }).end('<html>login</html>'),
  '/gone': (r) => void r.writeHead(404).end(),
  '/noai': (r) => void r.writeHead(200, { 'x-robots-tag': 'bot: noai, follow' }).end(png),
  '/tdm': (r) => void r.writeHead(200, { 'tdm-reservation': '1' }).end(png),
  '/large': (r) => void r.writeHead(200, { 'content-length': '99999999' }).end(),
  '/endless': (r) => {
    r.on('error', () => undefined);
    const more = (): void => {
      if (!r.destroyed) r.write(Buffer.alloc(65_536), () => setImmediate(more));
    };
    more();
  },
  '/moved': (r) => void r.writeHead(302, { location: '/good.png' }).end(),
  '/inside': (r) => void r.writeHead(302, { location: 'http://10.0.0.1/secret' }).end(),
  '/other': (r) => void r.writeHead(302, { location: 'http://127.0.0.2/secret' }).end(),
  '/file': (r) => void r.writeHead(302, { location: 'file:///etc/hostname' }).end(),
  '/loop': (r) => void r.writeHead(302, { location: '/loop' }).end(),
  '/zip': (r) => void r.writeHead(200, { 'content-encoding': 'gzip' }).end(png),
  '/busy': (r) => void (isWell ? r.end(png) : r.writeHead(429, { 'retry-after': '0' }).end()),
  '/broken': (r) => void (isWell ? r.end(png) : r.writeHead(500).end()),
  '/hang': (r) => void (isWell ? r.end(png) : undefined),
  '/cut': (r) => {
    if (isWell) return void r.end(png);
    r.writeHead(200, { 'content-length': String(png.length) });
    r.write(png.subarray(0, 40));
    setTimeout(() => r.destroy(), 5);
  },
};

const server = createServer((request, response) => {
  const path = request.url ?? '';
  visits.set(path, (visits.get(path) ?? 0) + 1);
  (PAGES[path] ?? PAGES['/gone'])?.(response);
});
let base = '';
before(async () => {
  base = await startLoopback(server);
});
after(async () => {
  await stopLoopback(server);
  rmSync(root, { recursive: true });
});

async function verdicts(output: string): Promise<Record<string, string>> {
  const rows = await Array.fromAsync(readLedger(join(output, 'ledger.jsonl')));
  return Object.fromEntries(rows.map(({ uid, reason }) => [uid, reason]));
}

test('each address has its verdict; failures that may pass are tried again, and only those', async () => {
  const urls = [
    ...Object.keys(PAGES).map((path) => base + path),
    'http://192.168.0.1/x',
    'ftp://a/b',
    '',
    'http://2130706433:1/x',
  ];
  const table = join(root, 'coyo.parquet');
  const values = urls.map(
    (url, i) =>
      `(${i}, ${sqlText(url)}, 'caption ${i}', ${i % 2 === 0 ? sqlText(sha256Hex(png)) : sqlText('0'.repeat(64))})`,
  );
  {
    using columns = await openColumns();
    await columns.run(
      `COPY (SELECT * FROM (VALUES ${values.join(', ')}) t(ID, URL, "TEXT", hash)) TO ${sqlText(table)} (FORMAT parquet)`,
    );
  }
  const output = join(root, 'out');
  const given = {
    table,
    output,
    log,
    allow: ['127.0.0.1'],
    delayMs: 0,
    maxBytes: 1_000_000,
    rowsPerShard: 10,
  };
  const first = await download({ ...given, timeoutMs: 1500 });
  const reasons = Object.values(await verdicts(output));
  assert.deepEqual(reasons, [
    'fetched',
    'fetched',
    'not an image',
    'HTTP 404',
    'the owner opts out',
    'the owner opts out',
    'more than 1000000 bytes',
    'more than 1000000 bytes',
    'fetched',
    'not a public address',
    'not a public address',
    'an address of file:',
    'more than 5 redirects',
    'encoded bytes',
    'HTTP 429',
    'HTTP 500',
    'too slow',
    'ECONNRESET',
    'not a public address',
    'an address of ftp:',
    'no address',
    'ECONNREFUSED',
  ]);
  assert.deepEqual(first.counts, { samples: 3, input: 22, failed: 14, mayPass: 5 });
  const before = new Map(visits);
  isWell = true;
  const second = await download({ ...given, timeoutMs: 30_000 });
  assert.deepEqual(second.counts, { samples: 7, input: 22, failed: 14, mayPass: 1 });
  for (const path of Object.keys(PAGES)) {
    const isAgain = ['/busy', '/broken', '/hang', '/cut'].includes(path);
    assert.equal(visits.get(path), (before.get(path) ?? 0) + (isAgain ? 1 : 0), path);
  }
  const samples = await Array.fromAsync(readSamples(output));
  assert.equal(samples.length, 7);
  const moved = samples.find((sample) => sample.meta['ID'] === 8);
  assert.equal(moved?.uid, 'coyo:coyo.parquet:8');
  assert.equal(moved?.messages[1]?.content, 'caption 8');
  assert.equal(moved?.meta['URL'], `${base}/moved`);
});

test('CSV, a condition, and a promise of bytes that is not kept', async () => {
  const table = join(root, 'laion.csv');
  const rows = [
    ['url', 'caption', 'width', 'sha256'],
    [`${base}/good.png`, '"one, two"', '300', sha256Hex(png)],
    [`${base}/good.png`, 'three', '300', '0'.repeat(64)],
    [`${base}/good.png`, 'narrow', '20', ''],
  ];
  writeFileSync(table, rows.map((row) => row.join(',')).join('\n'));
  const output = join(root, 'csv');
  const where = 'CAST(width AS INT) > 100';
  const { counts } = await download({
    table,
    output,
    where,
    log,
    allow: ['127.0.0.1'],
    delayMs: 0,
  });
  assert.deepEqual(counts, { samples: 1, input: 2, failed: 1 });
  assert.deepEqual(Object.values(await verdicts(output)), ['fetched', 'other bytes (sha256)']);
  const bytes = readFileSync(join(output, 'ledger.jsonl'));
  await download({ table, output, where, log, allow: ['127.0.0.1'], delayMs: 0 });
  assert.deepEqual(readFileSync(join(output, 'ledger.jsonl')), bytes);
  writeFileSync(join(root, 'none.csv'), 'a,b\n1,2\n');
  await assert.rejects(
    download({ table: join(root, 'none.csv'), output: join(root, 'none'), log }),
    /column of addresses/,
  );
});

test('addresses that are not public, in all their spellings', () => {
  const inside =
    '127.0.0.1 10.1.2.3 172.31.0.1 192.168.1.1 169.254.169.254 100.64.0.1 0.0.0.0 224.0.0.1 255.255.255.255 ::1 :: fe80::1 fc00::1 ::ffff:127.0.0.1 ::ffff:8.8.8.8 64:ff9b::a00:1 2002:a00:1::1 2001:db8::1 not-an-ip';
  for (const address of inside.split(' ')) assert.equal(isPublic(address), false, address);
  for (const address of ['8.8.8.8', '93.184.216.34', '2606:4700::1111']) {
    assert.equal(isPublic(address), true, address);
  }
});

test('a name that resolves inside is refused before a connection is made', async () => {
  const outcome = await new Promise<string>((resolve) => {
    pinnedLookup(isPublic)('localhost', {}, (error) => resolve(String(error)));
  });
  assert.match(outcome, /localhost is not a public address/);
});

test('opt-outs', () => {
  assert.equal(optsOut({ 'x-robots-tag': ['index', 'googlebot: NoImageIndex'] }), true);
  assert.equal(optsOut({ 'x-robots-tag': 'all' }), false);
  assert.equal(optsOut({ 'tdm-reservation': '1' }), true);
  assert.equal(optsOut({}), false);
});

test('no more than two at once to a host, a pause between them, a limit in all', async () => {
  const hosts = createHosts({ perHost: 2, total: 3, delayMs: 80 });
  const active: Record<string, number> = { a: 0, b: 0 };
  const starts: number[] = [];
  let most = 0;
  const work = (host: string) => async (): Promise<void> => {
    active[host] = (active[host] ?? 0) + 1;
    if (host === 'a') starts.push(performance.now());
    assert.ok((active[host] ?? 0) <= 2);
    most = Math.max(most, (active['a'] ?? 0) + (active['b'] ?? 0));
    await new Promise((resolve) => setTimeout(resolve, 200));
    active[host] = (active[host] ?? 0) - 1;
  };
  const jobs = ['a', 'a', 'a', 'b', 'b', 'b'].map((host) => hosts.run(host, work(host)));
  await Promise.all(jobs);
  assert.equal(most, 3);
  for (const [i, start] of starts.entries()) {
    if (i > 0) assert.ok(start - (starts[i - 1] ?? 0) >= 40, `${start - (starts[i - 1] ?? 0)} ms`);
  }
});
