// The folder .nv-meta that `energon prepare` would write beside archives, so that Megatron-Energon
// opens them as they are.
import { join } from 'node:path';
import { ensureFolder, writeFileAtomic } from '../../core/files.ts';
import { sha256Hex } from '../../core/hash.ts';
import type { ManifestFile } from '../../sample/manifest.ts';
import type { EnergonType } from '../layouts/layout.ts';
import { writeSqliteIndex } from './sqlite.ts';

export const META_FOLDER = '.nv-meta';
/** The version whose `prepare` writes the same files; a test compares them. */
const ENERGON_VERSION = '7.4.1';

/**
 * Writes the metadata of finished archives that have their `.tar.idx` already.
 * @throws OneVisionError 'data' for a damaged archive or a key that comes twice.
 */
export async function writeEnergonMeta(
  dir: string,
  files: readonly ManifestFile[],
  type: EnergonType,
): Promise<void> {
  const meta = join(dir, META_FOLDER);
  ensureFolder(meta);
  const archives = files.filter(({ name }) => name.endsWith('.tar'));
  const names = archives.map(({ name }) => name);
  const counts = await writeSqliteIndex(
    join(meta, 'index.sqlite'),
    names.map((name) => join(dir, name)),
  );
  const shardCounts = Object.fromEntries(names.map((name, i) => [name, counts[i] ?? 0]));
  const info = { energon_version: ENERGON_VERSION, shard_counts: shardCounts };
  const put = (name: string, text: string): Promise<void> =>
    writeFileAtomic(join(meta, name), text);
  await put('.info.json', `${JSON.stringify(info, null, 2)}\n`);
  await put('.info.yaml', infoYaml(shardCounts));
  await put('split.yaml', splitYaml(names));
  await put('dataset.yaml', datasetYaml(type));
  await put('sample_loader.py', type.loader);
  await put('index.uuid', uuidOf(archives));
}

function infoYaml(counts: Readonly<Record<string, number>>): string {
  const lines = Object.entries(counts).map(([name, count]) => `  ${name}: ${count}\n`);
  return `energon_version: ${ENERGON_VERSION}\nshard_counts:\n${lines.join('')}`;
}

function splitYaml(names: readonly string[]): string {
  const lines = names.map((name) => `  - ${name}\n`).join('');
  return `split_parts:\n  train:\n${lines}  val: []\n  test: []\nexclude: []\n`;
}

function datasetYaml({ module, className }: EnergonType): string {
  return [
    'sample_type:',
    `  __module__: ${module}`,
    `  __class__: ${className}`,
    'part_filter: sample_loader.py:part_filter',
    'sample_loader: sample_loader.py:sample_loader',
    '',
  ].join('\n');
}

/** A version-4 UUID that names the content: other archives, another one. */
function uuidOf(archives: readonly ManifestFile[]): string {
  const hex = sha256Hex(archives.map(({ sha256 }) => sha256).join(' '));
  const variant = (8 + (Number.parseInt(hex.slice(16, 17), 16) % 4)).toString(16);
  const groups = [
    hex.slice(0, 8),
    hex.slice(8, 12),
    `4${hex.slice(13, 16)}`,
    `${variant}${hex.slice(17, 20)}`,
    hex.slice(20, 32),
  ];
  return groups.join('-');
}
