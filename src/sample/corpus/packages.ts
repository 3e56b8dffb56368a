// Where the packages of the corpus, the encoders and the evaluation sets lie on this machine. Fetching them is scripts/setup/corpus.mjs' work.
import { existsSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import * as z from 'zod';
import { OneVisionError } from '../../core/errors.ts';

/** `as` names a part of a package that is kept by itself. */
const entrySchema = z.object({
  name: z.string(),
  as: z.string().optional(),
  version: z.string(),
});
const entriesSchema = z.array(entrySchema);
const tableSchema = z.object({
  npm: entriesSchema,
  languages: entriesSchema,
  debian: entriesSchema,
  encoders: entriesSchema,
  evaluation: entriesSchema,
});

type Entry = z.infer<typeof entrySchema>;
type Table = z.infer<typeof tableSchema>;

/** `$ONEVISION_CACHE`, else `$XDG_CACHE_HOME/onevision`, else `~/.cache/onevision`. */
export function cacheRoot(): string {
  const own = process.env['ONEVISION_CACHE'];
  if (own !== undefined && own !== '') return own;
  return join(process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'onevision');
}

/** Whether set-up has brought the package here, whole. */
export function hasPackage(name: string): boolean {
  return existsSync(join(locate(name).path, '.complete'));
}

/**
 * The folder of an unpacked corpus package.
 * @throws OneVisionError 'data' with the command that fetches it.
 */
export function packageFolder(name: string): string {
  const { path, profile } = locate(name);
  if (existsSync(join(path, '.complete'))) return path;
  throw new OneVisionError('data', `Expected the package ${name} at ${path}; it is not there.`, {
    hint: `fetch it: npm run setup -- --corpus ${profile}`,
  });
}

/** Name and version of a package as the table pins them: `openmoji@17.0.0`. */
export function packageVersion(name: string): string {
  return `${name}@${locate(name).version}`;
}

function locate(name: string): { path: string; version: string; profile: string } {
  const table = readTable();
  const isNamed = (entry: Entry): boolean => (entry.as ?? entry.name) === name;
  const entry = Object.values(table).flat().find(isNamed);
  if (entry === undefined) throw new RangeError(`${name} is not in packages.json`);
  const folder = `${name.replace('@', '').replace('/', '-')}-${entry.version.replace(':', '_')}`;
  const profile = profileOf(table, isNamed);
  return { path: join(cacheRoot(), 'packages', folder), version: entry.version, profile };
}

function profileOf(table: Table, isNamed: (entry: Entry) => boolean): string {
  if (table.npm.some(isNamed)) return 'emoji';
  if (table.languages.some(isNamed)) return 'languages';
  return table.evaluation.some(isNamed) ? 'evaluation' : 'full';
}

let cached: Table | undefined;

function readTable(): Table {
  const path = join(import.meta.dirname, 'packages.json');
  cached ??= tableSchema.parse(JSON.parse(readFileSync(path, 'utf8')));
  return cached;
}
