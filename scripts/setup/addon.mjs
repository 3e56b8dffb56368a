// Builds native/ into build/addon with CMake, once per (sources, libtorch, compiler).
// Node built-ins only, runs on Node 20. Writes build/addon.json, which src/tensor/native.ts reads.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';

const LOG_TAIL_LINES = 30;

/**
 * Compiles the addon unless it is there already for these inputs.
 * @param {{ root: string, libtorch: import('./libtorch.mjs').Libtorch,
 *   log: (line: string) => void, build?: string }} options
 * @returns {Promise<string>} path of the addon
 * @throws when CMake or the compiler fails; the message ends with the tail of the build log
 */
export async function buildAddon({ root, libtorch, log, build = join(root, 'build') }) {
  const stamp = join(build, 'addon.json');
  const hash = hashInputs(root, libtorch);
  const built = readStamp(stamp);
  if (built?.hash === hash && existsSync(built.path)) return built.path;

  const buildDir = join(build, 'addon');
  removeForeign(buildDir, join(root, 'native'));
  mkdirSync(buildDir, { recursive: true });
  log(`addon: compiling against libtorch ${libtorch.version} (about a minute)`);
  const buildLog = join(build, 'addon.log');
  writeFileSync(buildLog, '');
  step('cmake', configureArguments(root, libtorch, buildDir), buildLog);
  const jobs = String(availableParallelism());
  step('cmake', ['--build', buildDir, '--parallel', jobs], buildLog);

  // A name of its own per build: a running process keeps the file it has mapped.
  const path = join(build, `onevision-${hash.slice(0, 12)}.node`);
  renameSync(join(buildDir, 'onevision.node'), path);
  removeOlder(build, path);
  const contents = { path, libtorch: libtorch.dir, version: libtorch.version, hash };
  writeFileSync(`${stamp}.tmp`, `${JSON.stringify(contents, null, 2)}\n`);
  renameSync(`${stamp}.tmp`, stamp);
  return path;
}

/** Running processes keep the library they have mapped. */
function removeOlder(folder, keep) {
  for (const name of readdirSync(folder)) {
    const path = join(folder, name);
    if (/^onevision-[0-9a-f]{12}\.node$/.test(name) && path !== keep) rmSync(path);
  }
}

/** CMake refuses a build folder that was made for another checkout (a copied or moved one). */
function removeForeign(buildDir, sources) {
  const cache = join(buildDir, 'CMakeCache.txt');
  if (!existsSync(cache)) return;
  const ours = `CMAKE_HOME_DIRECTORY:INTERNAL=${sources}\n`;
  if (!readFileSync(cache, 'utf8').includes(ours)) rmSync(buildDir, { recursive: true });
}

function configureArguments(root, libtorch, buildDir) {
  return [
    ['-S', join(root, 'native'), '-B', buildDir],
    '-DCMAKE_BUILD_TYPE=Release',
    `-DNAPI_HEADERS=${join(root, 'node_modules', 'node-api-headers', 'include')}`,
    `-DNAPI_CPP_HEADERS=${join(root, 'node_modules', 'node-addon-api')}`,
    `-DLIBTORCH_DIR=${libtorch.dir}`,
    `-DLIBTORCH_LIBS=${libtorch.libs.join(';')}`,
    `-DLIBTORCH_CXX11_ABI=${libtorch.cxx11Abi}`,
  ].flat();
}

function hashInputs(root, libtorch) {
  const hash = createHash('sha256');
  const native = join(root, 'native');
  for (const name of readdirSync(native, { recursive: true }).sort()) {
    const path = join(native, name);
    if (statSync(path).isFile()) hash.update(`${name}\0`).update(readFileSync(path));
  }
  for (const folder of nvidiaHeaders(libtorch)) hash.update(`${folder}\0`);
  hash.update(`${root}\0${libtorch.dir}\0${libtorch.version}\0${compilerIdentity()}`);
  return hash.digest('hex');
}

/** Headers of NVIDIA's packages beside a CUDA wheel: more of them may let more be compiled in. */
function nvidiaHeaders({ dir, cuda }) {
  const packages = join(dir, '..', 'nvidia');
  if (!cuda || !existsSync(packages)) return [];
  const includes = readdirSync(packages).map((name) => join(packages, name, 'include'));
  return includes.filter(existsSync).flatMap((folder) => readdirSync(folder).sort());
}

/** The compiler CMake will pick, told apart by size and date: no process to start. */
function compilerIdentity() {
  const name = process.env.CXX || 'c++';
  const folders = (process.env.PATH ?? '').split(':');
  const path = [name, ...folders.map((folder) => join(folder, name))].find((p) => existsSync(p));
  if (path === undefined) return name;
  const { size, mtimeMs } = statSync(path);
  return `${path} ${size} ${mtimeMs}`;
}

function readStamp(path) {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch {
    return undefined;
  }
}

function step(command, args, buildLog) {
  const { status, error, stdout } = spawnSync(
    'sh',
    ['-c', 'exec "$0" "$@" 2>&1', command, ...args],
    {
      encoding: 'utf8',
      maxBuffer: 1 << 28,
    },
  );
  writeFileSync(buildLog, stdout ?? '', { flag: 'a' });
  if (status === 0) return;
  if (error || status === 127) {
    throw new Error(`${command} did not run. Install it: apt-get install cmake g++ make`);
  }
  const output = (stdout ?? '').trimEnd();
  const compilerMissing = /CMAKE_CXX_COMPILER|No CMAKE_MAKE_PROGRAM|CMAKE_MAKE_PROGRAM/.test(
    output,
  );
  const advice = compilerMissing ? 'Install a compiler: apt-get install g++ make\n' : '';
  const tail = output.split('\n').slice(-LOG_TAIL_LINES).join('\n');
  throw new Error(
    `The addon did not build (${command} ended with ${status}).\n${advice}${tail}\nFull log: ${buildLog}`,
  );
}
