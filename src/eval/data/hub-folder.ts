// Where a data set of the Hugging Face hub lies on this disk: as `huggingface-cli download` leaves
// it, with --local-dir or in its cache. Fetches nothing; says which command would.
import { existsSync, globSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { basename, join, matchesGlob } from 'node:path';
import * as z from 'zod';
import { OneVisionError } from '../../core/errors.ts';
import { readJson, sha256File, writeFileAtomic } from '../../core/files.ts';
import { sha256Hex } from '../../core/hash.ts';

/** A part of a data set on the hub. */
export interface HubSource {
  /** `owner/name`. */
  readonly repo: string;
  /** What to fetch: a branch or, better, a commit. What was fetched is told by its bytes. */
  readonly revision: string;
  /** Files of the split, as `--include` takes them; rows count in the order of their names. */
  readonly files: readonly string[];
}

/** A source that was found. */
export interface HubFolder {
  readonly folder: string;
  /** Relative to the folder, sorted. */
  readonly files: readonly string[];
  /** The commit it was fetched at, where the download left it. */
  readonly revision: string | undefined;
}

/** The command that fetches a source to where `findHubFolder` looks first. */
export function downloadCommand({ repo, revision, files }: HubSource, dataRoot: string): string {
  const include = files.map((pattern) => `'${pattern}'`).join(' ');
  const at = revision === 'main' ? '' : ` --revision ${revision}`;
  return (
    `huggingface-cli download --repo-type dataset ${repo}${at} --include ${include} ` +
    `--local-dir ${join(dataRoot, repo)}`
  );
}

/**
 * Finds the files of a source below the data root: `owner/name`, `name`, or the newest snapshot of
 * `datasets--owner--name`.
 * @throws OneVisionError 'data' naming the places and the command that fetches it
 */
export function findHubFolder(source: HubSource, dataRoot: string): HubFolder {
  const places = [join(dataRoot, source.repo), join(dataRoot, basename(source.repo))];
  const snapshot = newestSnapshot(
    join(dataRoot, `datasets--${source.repo.replace('/', '--')}`, 'snapshots'),
  );
  for (const folder of snapshot === undefined ? places : [...places, snapshot]) {
    if (!existsSync(folder)) continue;
    const files = globSync('**/*.{parquet,tsv}', { cwd: folder })
      .filter((name) => source.files.some((pattern) => matchesGlob(name, pattern)))
      .sort();
    if (files.length === 0) continue;
    const revision = folder === snapshot ? basename(folder) : commitOf(folder, files[0] ?? '');
    return { folder, files, revision };
  }
  throw new OneVisionError(
    'data',
    `Expected ${source.files.join(' or ')} of the data set ${source.repo} in ${places.join(' or ')}.`,
    { hint: `fetch it: ${downloadCommand(source, dataRoot)}` },
  );
}

function newestSnapshot(folder: string): string | undefined {
  if (!existsSync(folder)) return undefined;
  const names = readdirSync(folder).map((name) => join(folder, name));
  const time = (path: string): number => statSync(path).mtimeMs;
  return names.sort((a, b) => time(b) - time(a))[0];
}

/** The first line of what the downloader notes beside a file. */
function commitOf(folder: string, file: string): string | undefined {
  const note = join(folder, '.cache', 'huggingface', 'download', `${file}.metadata`);
  if (!existsSync(note)) return undefined;
  const [commit] = readFileSync(note, 'utf8').split('\n');
  return /^[\da-f]{40}$/.test(commit ?? '') ? commit : undefined;
}

const hashesSchema = z.record(z.string(), z.strictObject({ state: z.string(), hash: z.string() }));

/**
 * Hash over the bytes of the files and their names.
 * @param cache a JSON file that remembers hashes; a file of the same size and time is not read again
 */
export async function hashHubFolder(
  { folder, files }: HubFolder,
  cache: string | undefined,
): Promise<string> {
  const known =
    cache !== undefined && existsSync(cache) ? { ...readJson(cache, hashesSchema) } : {};
  const parts: string[] = [];
  let isNew = false;
  for (const name of files) {
    const path = join(folder, name);
    const { size, mtimeMs } = statSync(path);
    const state = `${size}/${mtimeMs}`;
    let entry = known[path];
    if (entry?.state !== state) {
      entry = { state, hash: await sha256File(path) };
      known[path] = entry;
      isNew = true;
    }
    parts.push(name, entry.hash);
  }
  if (isNew && cache !== undefined) await writeFileAtomic(cache, JSON.stringify(known));
  return sha256Hex(JSON.stringify(parts));
}
