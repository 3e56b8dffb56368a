// The file that ends every data stage: what it wrote, from which settings, and how much of it.
// A stage is done exactly when its manifest carries the hash of the settings asked for.
import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import * as z from 'zod';
import { OneVisionError } from '../core/errors.ts';
import { readJson, writeFileAtomic } from '../core/files.ts';
import { sha256Hex } from '../core/hash.ts';
import type { JsonValue } from './sample.ts';

export const MANIFEST = 'manifest.json';

export interface ManifestFile {
  readonly name: string;
  readonly bytes: number;
  readonly sha256: string;
  /** Samples, packs, rows, … in it. */
  readonly count: number;
}

export interface Manifest {
  readonly format: 'onevision/1';
  /** What the files hold: 'samples', 'packs', … */
  readonly kind: string;
  readonly stage: string;
  /** See `hashConfig`. */
  readonly configHash: string;
  readonly counts: Readonly<Record<string, number>>;
  readonly files: readonly ManifestFile[];
  readonly stats: Readonly<Record<string, JsonValue>>;
}

export const manifestFileSchema: z.ZodType<ManifestFile> = z.strictObject({
  name: z.string(),
  bytes: z.number().int().nonnegative(),
  sha256: z.string().length(64),
  count: z.number().int().nonnegative(),
});

const manifestSchema: z.ZodType<Manifest> = z.strictObject({
  format: z.literal('onevision/1'),
  kind: z.string().min(1),
  stage: z.string().min(1),
  configHash: z.string().min(1),
  counts: z.record(z.string(), z.number()),
  files: z.array(manifestFileSchema),
  stats: z.record(z.string(), z.json()),
});

/** Write `manifest.json`: the last act of a stage. */
export async function writeManifest(dir: string, manifest: Manifest): Promise<void> {
  const checked = manifestSchema.parse(manifest);
  await writeFileAtomic(join(dir, MANIFEST), `${JSON.stringify(checked, null, 2)}\n`);
}

/** @throws OneVisionError 'data' when the folder has no manifest or a damaged one. */
export function readManifest(dir: string): Manifest {
  const path = join(dir, MANIFEST);
  if (!existsSync(path)) {
    throw new OneVisionError('data', `Expected a finished stage with a manifest at ${path}.`, {
      hint: 'run the stage that writes this folder to its end; running it again goes on where it stopped',
    });
  }
  return readJson(path, manifestSchema);
}

/**
 * Whether a stage with these settings is finished in `dir`: its manifest has the hash and every file
 * it names is there with its size. A manifest of other settings or a damaged one means "no".
 */
export function isComplete(dir: string, configHash: string): boolean {
  const path = join(dir, MANIFEST);
  if (!existsSync(path)) return false;
  const manifest = tryRead(path);
  if (manifest?.configHash !== configHash) return false;
  return manifest.files.every(
    (file) => statSync(join(dir, file.name), { throwIfNoEntry: false })?.size === file.bytes,
  );
}

function tryRead(path: string): Manifest | undefined {
  try {
    return readJson(path, manifestSchema);
  } catch {
    return undefined;
  }
}

/**
 * A hash of everything a stage depends on: its settings and the hashes of its inputs. Keys are
 * sorted first, so that their order does not matter.
 */
export function hashConfig(...parts: readonly unknown[]): string {
  return sha256Hex(JSON.stringify(parts.map(sortKeys))).slice(0, 16);
}

function sortKeys(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sortKeys);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([key, inner]) => [key, sortKeys(inner)]));
}
