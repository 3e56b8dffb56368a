// Finds libtorch: LIBTORCH, then an installed PyTorch, then our own cache, then pip fills that cache.
// Node built-ins only, runs on Node 20. Unpacks libraries and headers; installs nothing globally.
import { spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { homedir } from 'node:os';
import { basename, join, resolve } from 'node:path';

export const WANTED_VERSION = '2.13.0';
/** Written last into the cache. */
const COMPLETE = 'complete';
const OLDEST = [2, 11];
const NEWEST = [2, 14];
const CPU_INDEX = 'https://download.pytorch.org/whl/cpu';
const SUPPORTED = `${OLDEST.join('.')} to ${NEWEST.join('.')}`;

const REMEDIES = [
  'One of these gives set-up a libtorch:',
  `  - pip: make "python3 -m pip download torch==${WANTED_VERSION} --no-deps" work, then run it again`,
  '  - LIBTORCH=/path/to/libtorch, the unpacked official archive (pytorch.org, "LibTorch", C++)',
  '  - LIBTORCH_USE_PYTORCH=1, to use the PyTorch that "python3" imports',
].join('\n');

/** Extracts from a wheel only what C++ needs: argv = wheel, destination. */
const UNPACK = `
import sys, zipfile
wheel, out = sys.argv[1:3]
wanted = ('torch/include/', 'torch/lib/', 'torch/share/', 'torch/version.py', 'torch.libs/')
with zipfile.ZipFile(wheel) as z:
    z.extractall(out, [n for n in z.namelist() if n.startswith(wanted)])
`;

/**
 * @typedef {object} Libtorch
 * @property {string} dir the folder with include/ and lib/
 * @property {string} version for example "2.13.0+cpu"
 * @property {string} source which of the four ways found it
 * @property {string[]} libs absolute paths of the libraries to link, in link order
 * @property {boolean} cuda whether libtorch_cuda.so is among them
 * @property {0 | 1} cxx11Abi the value of _GLIBCXX_USE_CXX11_ABI it was built with
 */

/**
 * Finds libtorch, downloading it only where nothing else offers one.
 * @param {{ log: (line: string) => void, env?: NodeJS.ProcessEnv }} options
 * @returns {Promise<Libtorch>}
 * @throws when none is found (the message lists the remedies) or the version is not supported
 */
export async function findLibtorch({ log, env = process.env }) {
  if (env.LIBTORCH) return describeLibtorch(resolve(env.LIBTORCH), 'LIBTORCH');
  if (env.LIBTORCH_USE_PYTORCH === '1') {
    return describeLibtorch(pythonTorchDir(env), 'LIBTORCH_USE_PYTORCH');
  }
  const cache = join(cacheDir(env), `libtorch-${WANTED_VERSION}`);
  const cached = cachedTorchDir(cache);
  if (cached !== undefined) return describeLibtorch(cached, 'cache');
  log(`libtorch: fetching torch ${WANTED_VERSION} with pip (200 MB where it is the CPU build)`);
  fillCache(cache, log);
  return describeLibtorch(cachedTorchDir(cache) ?? cache, 'cache');
}

/** The project's cache folder, shared by every checkout on the machine. */
export function cacheDir(env = process.env) {
  if (env.ONEVISION_CACHE) return resolve(env.ONEVISION_CACHE);
  return join(env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'onevision');
}

/**
 * Reads version and libraries of a libtorch folder.
 * @param {string} dir
 * @param {string} source
 * @returns {Libtorch}
 */
export function describeLibtorch(dir, source) {
  const lib = (name) => join(dir, 'lib', name);
  const needed = [join(dir, 'include', 'ATen', 'core', 'Tensor.h'), lib('libtorch_cpu.so')];
  const absent = needed.find((path) => !existsSync(path));
  if (absent !== undefined) {
    throw new Error(
      `Expected a libtorch at ${dir} (from ${source}); ${absent} is not there.\n${REMEDIES}`,
    );
  }
  const version = readVersion(dir);
  const [major, minor] = version.split('.').map(Number);
  const order = major * 1000 + minor;
  if (!(order >= OLDEST[0] * 1000 + OLDEST[1] && order <= NEWEST[0] * 1000 + NEWEST[1])) {
    throw new Error(
      `Expected libtorch ${SUPPORTED} at ${dir} (from ${source}); found ${version}.\n${REMEDIES}`,
    );
  }
  const cuda = existsSync(lib('libtorch_cuda.so'));
  const names = ['libc10.so', 'libtorch_cpu.so', 'libtorch.so'];
  if (cuda) names.push('libc10_cuda.so', 'libtorch_cuda.so');
  return { dir, version, source, libs: names.map(lib), cuda, cxx11Abi: readAbi(dir) };
}

/** The official archive says its version in `build-version`, a wheel in `version.py`. */
function readVersion(dir) {
  const archive = join(dir, 'build-version');
  if (existsSync(archive)) return readFileSync(archive, 'utf8').trim();
  const wheel = join(dir, 'version.py');
  const match = existsSync(wheel) && /__version__ = '([^']+)'/.exec(readFileSync(wheel, 'utf8'));
  if (match) return match[1];
  throw new Error(
    `Expected build-version or version.py in ${dir}; neither tells libtorch's version.`,
  );
}

/** Releases that still had a choice of ABI wrote it into TorchConfig.cmake; the others use 1. */
function readAbi(dir) {
  const config = join(dir, 'share', 'cmake', 'Torch', 'TorchConfig.cmake');
  if (!existsSync(config)) return 1;
  const match = /_GLIBCXX_USE_CXX11_ABI=([01])/.exec(readFileSync(config, 'utf8'));
  return match?.[1] === '0' ? 0 : 1;
}

function pythonTorchDir(env) {
  const code =
    "import importlib.util as u; print(u.find_spec('torch').submodule_search_locations[0])";
  const { status, stdout } = spawnSync('python3', ['-c', code], { env, encoding: 'utf8' });
  if (status === 0) return stdout.trim();
  throw new Error(
    `LIBTORCH_USE_PYTORCH=1 expects "python3" to find the torch package; it does not.\n${REMEDIES}`,
  );
}

/** `CACHE/torch` holds an unpacked CPU wheel, `CACHE/venv` a whole CUDA installation. */
function cachedTorchDir(cache) {
  if (!existsSync(join(cache, COMPLETE))) return undefined;
  if (existsSync(join(cache, 'torch', 'version.py'))) return join(cache, 'torch');
  const venvLib = join(cache, 'venv', 'lib');
  if (!existsSync(venvLib)) return undefined;
  return readdirSync(venvLib)
    .map((python) => join(venvLib, python, 'site-packages', 'torch'))
    .find((dir) => existsSync(join(dir, 'version.py')));
}

/** Fills a temporary folder, then renames it: without its last file the cache does not count. */
function fillCache(cache, log) {
  mkdirSync(resolve(cache, '..'), { recursive: true });
  const tmp = mkdtempSync(`${cache}.tmp-`);
  try {
    const wheel = downloadWheel(tmp, log);
    log('libtorch: unpacking');
    python(['-c', UNPACK, wheel, tmp], 'unpack the wheel');
    const needsOthers = existsSync(join(tmp, 'torch', 'lib', 'libtorch_cuda.so'));
    if (needsOthers) rmSync(join(tmp, 'torch'), { recursive: true });
    else rmSync(wheel);
    // Another set-up may have been faster; what it made may be in use already.
    if (cachedTorchDir(cache) !== undefined) return;
    rmSync(cache, { recursive: true, force: true });
    renameSync(tmp, cache);
    // A virtual environment cannot be moved, so it is made at its final place; pip finishes it.
    if (needsOthers) installWhole(cache, join(cache, basename(wheel)), log);
    writeFileSync(
      join(cache, COMPLETE),
      'libtorch for OneVision; safe to delete with its folder.\n',
    );
  } finally {
    rmSync(tmp, { recursive: true, force: true });
  }
}

/** @returns {string} path of the wheel */
function downloadWheel(dir, log) {
  const cpuIndex = ['--index-url', CPU_INDEX, '--timeout', '10', '--retries', '1'];
  const otherPython = ['--only-binary=:all:', '--python-version', '3.12'];
  const hasGpu = spawnSync('nvidia-smi', ['-L'], { stdio: 'ignore' }).status === 0;
  const attempts = hasGpu ? [[], cpuIndex] : [cpuIndex, []];
  attempts.push([...cpuIndex, ...otherPython], otherPython);
  let reason = '';
  for (const extra of attempts) {
    const spec = ['-m', 'pip', 'download', `torch==${WANTED_VERSION}`, '--no-deps', '-d', dir];
    const { status, stderr } = spawnSync('python3', [...spec, ...extra], { encoding: 'utf8' });
    const wheel = readdirSync(dir).find((name) => name.endsWith('.whl'));
    if (status === 0 && wheel !== undefined) return join(dir, wheel);
    reason = stderr?.trim().split('\n').at(-1) ?? '';
    log(`libtorch: pip download ${extra.join(' ')} failed (${reason})`);
  }
  throw new Error(`pip could not download torch==${WANTED_VERSION}: ${reason}\n${REMEDIES}`);
}

/** A CUDA wheel finds its nvidia-* libraries beside itself, so it is installed with them. */
function installWhole(cache, wheel, log) {
  log('libtorch: a CUDA build; installing it with its nvidia packages (several GB)');
  const venv = join(cache, 'venv');
  try {
    python(['-m', 'venv', venv], 'make a virtual environment (apt-get install python3-venv)');
    const args = ['-m', 'pip', 'install', '--quiet', wheel];
    const { status } = spawnSync(join(venv, 'bin', 'python'), args, { stdio: ['ignore', 2, 2] });
    if (status !== 0)
      throw new Error(`pip install ${wheel} ended with status ${status}.\n${REMEDIES}`);
    rmSync(wheel);
    installHeaders(venv, log);
  } catch (error) {
    rmSync(cache, { recursive: true, force: true });
    throw error;
  }
}

/** Headers that NCCL's includes need and no wheel brings; without them ranks cannot be on CUDA. */
export function installHeaders(venv, log) {
  const program = join(venv, 'bin', 'python');
  const run = (...args) => spawnSync(program, args, { encoding: 'utf8' });
  const ask = "from importlib.metadata import version; print(version('nvidia-cuda-runtime'))";
  const version = /^\d+\.\d+/.exec(run('-c', ask).stdout ?? '')?.[0];
  const specs = ['crt', 'cccl'].map((name) => `nvidia-cuda-${name}==${version}.*`);
  const { status, stderr } = run('-m', 'pip', 'install', '--quiet', '--no-deps', ...specs);
  if (status === 0) return;
  const reason = stderr?.trim().split('\n').at(-1) ?? '';
  log(`libtorch: no headers for NCCL (${reason}); pip install ${specs.join(' ')} brings them`);
}

function python(args, purpose) {
  const { status, stderr } = spawnSync('python3', args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`python3 could not ${purpose}: ${stderr?.trim()}\n${REMEDIES}`);
}
