// onnxruntime-node for tests: the parts of two packages that this machine needs, fetched once by name
// into set-up's cache (46 of 290 MB), then laid out so that Node finds one beside the other.
import { cpSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const VERSION = '1.30.0';
const PACKAGES = [
  {
    name: 'onnxruntime-node',
    version: VERSION,
    integrity:
      'sha512-twhs1C2C/BFkz1yc5OY0KIU2GUq6DURO7hD4bx5Q2Qy3nAMJwRXW8xU3NVczE29VA9lolLOYepoD8fjTGOfIqw==',
    files: ['package.json', 'dist/*.js', 'bin/napi-v6/linux/x64/*'],
    count: 7,
  },
  {
    name: 'onnxruntime-common',
    version: VERSION,
    integrity:
      'sha512-7fdVWjAID1dVhH/G8qK3APARunV4VkBFoCQAP7qp4Wkab0mrorvmc+sqiT+mKXOzDqdjN5j+/Z9nb4gzNPWcyA==',
    files: ['package.json', 'dist/cjs/*'],
    count: 86,
  },
] as const;

interface Corpus {
  fetchPackage(entry: (typeof PACKAGES)[number], log: (line: string) => void): Promise<string>;
}

/** Address of the package's main file and the folder to remove, or why there is none here. */
export async function onnxRuntime(): Promise<
  { readonly main: string; readonly folder: string } | { readonly reason: string }
> {
  if (process.platform !== 'linux' || process.arch !== 'x64') {
    return { reason: 'the test fetches onnxruntime for Linux on x64 only' };
  }
  const script: string = '../../scripts/setup/corpus.mjs';
  const { fetchPackage } = (await import(script)) as Corpus;
  const folder = mkdtempSync(join(tmpdir(), 'onevision-onnx-'));
  try {
    for (const entry of PACKAGES) {
      const from = await fetchPackage(entry, () => undefined);
      cpSync(from, join(folder, 'node_modules', entry.name), { recursive: true });
    }
  } catch (error) {
    return { reason: `onnxruntime cannot be fetched: ${String(error)}` };
  }
  const main = join(folder, 'node_modules', 'onnxruntime-node', 'dist', 'index.js');
  return { main: pathToFileURL(main).href, folder };
}
