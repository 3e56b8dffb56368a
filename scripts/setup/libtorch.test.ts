// Set-up's two native steps against folders and tools made for the test: what is found, what is
// refused, what a user reads. Downloads and compiles nothing real.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';

interface Libtorch {
  readonly dir: string;
  readonly version: string;
  readonly source: string;
  readonly libs: string[];
  readonly cuda: boolean;
  readonly cxx11Abi: number;
}
type Log = (line: string) => void;
type Environment = Record<string, string | undefined>;
type FindLibtorch = (options: { log: Log; env: Environment }) => Promise<Libtorch>;
type BuildAddon = (options: { root: string; libtorch: Libtorch; log: Log }) => Promise<string>;

const load = async (name: string): Promise<unknown> => import(new URL(name, import.meta.url).href);
const { findLibtorch } = (await load('libtorch.mjs')) as { findLibtorch: FindLibtorch };
const { buildAddon } = (await load('addon.mjs')) as { buildAddon: BuildAddon };

const folder = mkdtempSync(join(tmpdir(), 'onevision-setup-'));
after(() => rmSync(folder, { recursive: true }));
const log = (): void => undefined;
const python = execFileSync('sh', ['-c', 'command -v python3'], { encoding: 'utf8' }).trim();

function fakeLibtorch(name: string, version: string, extraLibs: readonly string[] = []): string {
  const dir = join(folder, name);
  mkdirSync(join(dir, 'include', 'ATen', 'core'), { recursive: true });
  mkdirSync(join(dir, 'lib'));
  writeFileSync(join(dir, 'include', 'ATen', 'core', 'Tensor.h'), '');
  for (const lib of ['libtorch_cpu.so', ...extraLibs]) writeFileSync(join(dir, 'lib', lib), '');
  writeFileSync(join(dir, 'build-version'), `${version}\n`);
  return dir;
}

/** A folder for PATH whose python3 is this shell script. */
function fakePython(name: string, script: string): string {
  const dir = join(folder, name);
  mkdirSync(dir);
  writeFileSync(join(dir, 'python3'), `#!/bin/sh\n${script}\n`);
  chmodSync(join(dir, 'python3'), 0o755);
  return `${dir}:/bin:/usr/bin`;
}

test('LIBTORCH names a folder: described, or refused with the remedies', async () => {
  const dir = fakeLibtorch('good', '2.12.1+cu130', ['libtorch_cuda.so']);
  const found = await findLibtorch({ log, env: { LIBTORCH: dir } });
  assert.deepEqual([found.version, found.source, found.cuda], ['2.12.1+cu130', 'LIBTORCH', true]);
  assert.ok(found.libs.includes(join(dir, 'lib', 'libtorch_cuda.so')));
  const missing = findLibtorch({ log, env: { LIBTORCH: join(folder, 'none') } });
  await assert.rejects(missing, /Expected a libtorch at .*none .*pip: .*LIBTORCH_USE_PYTORCH=1/s);
});

test('a version outside of 2.11 to 2.14 is refused', async () => {
  for (const [name, version] of [
    ['old', '2.10.0'],
    ['new', '2.15.0'],
    ['one', '1.13.1'],
  ] as const) {
    const env = { LIBTORCH: fakeLibtorch(name, version) };
    const expected = new RegExp(`Expected libtorch 2\\.11 to 2\\.14 .*found ${version}`);
    await assert.rejects(findLibtorch({ log, env }), expected);
  }
});

test('LIBTORCH_USE_PYTORCH asks python3', async () => {
  const dir = fakeLibtorch('wheel', '2.13.0');
  const env = { LIBTORCH_USE_PYTORCH: '1', PATH: fakePython('with', `echo ${dir}`) };
  assert.equal((await findLibtorch({ log, env })).dir, dir);
  const without = { LIBTORCH_USE_PYTORCH: '1', PATH: fakePython('without', 'exit 1') };
  await assert.rejects(findLibtorch({ log, env: without }), /"python3" to find the torch package/);
});

test('pip fills the cache once, whole or not at all', async () => {
  const cache = join(folder, 'cache');
  const path = process.env['PATH'];
  try {
    process.env['PATH'] = fakePython('failing', 'echo "no such wheel" >&2; exit 1');
    const env = { ONEVISION_CACHE: cache };
    await assert.rejects(findLibtorch({ log, env }), /pip could not download .*no such wheel/s);
    assert.deepEqual(readdirSync(cache), []);

    const wheel = join(folder, 'torch-2.13.0+cpu-py3-none-any.whl');
    fakeLibtorch('source/torch', '2.13.0');
    writeFileSync(join(folder, 'source/torch/version.py'), "__version__ = '2.13.0+cpu'\n");
    rmSync(join(folder, 'source/torch/build-version'));
    execFileSync(python, ['-m', 'zipfile', '-c', wheel, join(folder, 'source/torch')]);
    const script = `case "$*" in
      *download*) while [ "$1" != "-d" ]; do shift; done; cp "${wheel}" "$2";;
      *) exec "${python}" "$@";;
    esac`;
    process.env['PATH'] = fakePython('working', script);
    const found = await findLibtorch({ log, env });
    assert.deepEqual([found.version, found.source], ['2.13.0+cpu', 'cache']);
    assert.deepEqual(readdirSync(cache), ['libtorch-2.13.0']);

    process.env['PATH'] = '/nowhere';
    assert.deepEqual(await findLibtorch({ log, env }), found);
    rmSync(join(cache, 'libtorch-2.13.0', 'complete'));
    await assert.rejects(findLibtorch({ log, env }), /pip could not download/);
  } finally {
    process.env['PATH'] = path;
  }
});

test('a build that fails says what is missing, or shows the end of the log', async () => {
  const root = join(folder, 'checkout');
  mkdirSync(join(root, 'native'), { recursive: true });
  writeFileSync(join(root, 'native', 'CMakeLists.txt'), 'message(FATAL_ERROR "boom")\n');
  const env = { LIBTORCH: fakeLibtorch('for-build', '2.13.0') };
  const libtorch = await findLibtorch({ log, env });
  await assert.rejects(buildAddon({ root, libtorch, log }), /did not build .*boom.*Full log: /s);
  const path = process.env['PATH'];
  try {
    const tools = join(folder, 'tools');
    mkdirSync(tools);
    symlinkSync('/bin/sh', join(tools, 'sh'));
    process.env['PATH'] = tools;
    await assert.rejects(buildAddon({ root, libtorch, log }), /cmake did not run.*apt-get install/);
  } finally {
    process.env['PATH'] = path;
  }
  assert.ok(!existsSync(join(root, 'build', 'addon.json')));
});
