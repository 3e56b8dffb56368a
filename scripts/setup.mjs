// Set-up in one command: tools, npm packages, libtorch, the addon, the corpus. Node built-ins only;
// runs on Node 20, does nothing when nothing changed.
import { dirname, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildAddon } from './setup/addon.mjs';
import { fetchCorpus } from './setup/corpus.mjs';
import { findLibtorch } from './setup/libtorch.mjs';
import { installPackages } from './setup/packages.mjs';
import { missingTools } from './setup/tools.mjs';

const PROFILES = ['none', 'emoji', 'languages', 'full', 'evaluation'];
const root = resolve(dirname(fileURLToPath(import.meta.url)), '..');
const log = (line) => process.stderr.write(`setup: ${line}\n`);

function readProfile(args) {
  const at = args.indexOf('--corpus');
  const profile = at < 0 ? 'emoji' : args[at + 1];
  if (!PROFILES.includes(profile)) {
    throw new Error(`--corpus must be one of ${PROFILES.join(', ')}; got ${profile ?? 'nothing'}.`);
  }
  return profile;
}

async function main() {
  const started = performance.now();
  const profile = readProfile(process.argv.slice(2));
  const missing = missingTools();
  if (missing.length > 0) {
    throw new Error(
      `This machine lacks:\n  ${missing.join('\n  ')}\nInstall them and run it again.`,
    );
  }
  installPackages({ root, log });
  const libtorch = await findLibtorch({ log });
  await buildAddon({ root, libtorch, log });
  await fetchCorpus({ profile, log });
  log(`ready in ${((performance.now() - started) / 1000).toFixed(1)} s`);
}

try {
  await main();
} catch (error) {
  process.stderr.write(`setup failed: ${error instanceof Error ? error.message : error}\n`);
  process.exitCode = 3;
}
