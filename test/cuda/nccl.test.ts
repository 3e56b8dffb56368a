// The addon against a libtorch for CUDA: NCCL is compiled in and its group opens where there is a GPU.
// CUDA_LIBTORCH names that libtorch's folder; no GPU is needed to compile and load.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const folder = process.env['CUDA_LIBTORCH'];
const skip = folder === undefined ? 'CUDA_LIBTORCH names no libtorch for CUDA' : false;
const root = fileURLToPath(new URL('../../', import.meta.url));

/** Compiles it below `build`: the addon of this checkout stays. */
const BUILD = `
  import { buildAddon } from './scripts/setup/addon.mjs';
  import { describeLibtorch } from './scripts/setup/libtorch.mjs';
  const [folder, build] = process.argv.slice(1);
  const libtorch = describeLibtorch(folder, 'CUDA_LIBTORCH');
  await buildAddon({ root: process.cwd(), libtorch, build, log: () => undefined });`;

/** Opens both kinds of group with one rank each and prints what came. */
const OPEN = `
  import { loadAddon } from './src/tensor/native.ts';
  const addon = loadAddon(process.argv[1] + '/addon.json');
  const common = { name: 'world', rank: 0, size: 1, host: '127.0.0.1' };
  const came = ['gloo', 'nccl'].map((backend, i) => {
    try {
      const times = { timeoutMs: 10_000, silenceMs: 10_000 };
      addon.openProcessGroup({ ...common, ...times, backend, port: 29_861 + i });
      addon.closeProcessGroups();
      return 'open';
    } catch (error) {
      return error.message;
    }
  });
  const numDevices = addon.deviceNames().length;
  console.log(JSON.stringify({ whyNoNccl: addon.whyNoNccl(), numDevices, came }));
  process.exit();`;

function node(program: string, ...args: readonly string[]): string {
  const flags = ['--disable-warning=ExperimentalWarning', '--input-type=module', '-e', program];
  return execFileSync(process.execPath, [...flags, ...args], { cwd: root, encoding: 'utf8' });
}

test('the addon compiles with NCCL and loads', { skip }, () => {
  const build = mkdtempSync(join(tmpdir(), 'onevision-nccl-'));
  try {
    node(BUILD, folder ?? '', build);
    const { whyNoNccl, numDevices, came } = JSON.parse(node(OPEN, build)) as {
      readonly whyNoNccl: string | null;
      readonly numDevices: number;
      readonly came: readonly string[];
    };
    assert.equal(whyNoNccl, null);
    // Without a GPU the words are those of c10d's own NCCL group: it is the one that was asked.
    const nccl = numDevices > 0 ? /^open$/ : /ProcessGroupNCCL .* no GPUs found/;
    assert.equal(came[0], 'open');
    assert.match(came[1] ?? '', nccl);
  } finally {
    rmSync(build, { recursive: true });
  }
});
