// Opens a source of samples by what its files are.
import { existsSync, statSync } from 'node:fs';
import { basename, resolve } from 'node:path';
import { OneVisionError } from '../../core/errors.ts';
import { LEDGER } from '../ledger.ts';
import { MANIFEST } from '../manifest.ts';
import { openFolder } from './folder.ts';
import { isImg2dataset, openImg2dataset } from './img2dataset.ts';
import { openJsonl } from './jsonl.ts';
import { extensionOf, listFiles, oneFile, type SourceFile } from './listing.ts';
import { openParquet } from './parquet.ts';
import type { Source, SourceFormat, SourceSpec } from './source.ts';
import { openWebdataset } from './webdataset.ts';

const OPEN: Readonly<
  Record<
    SourceFormat,
    (spec: SourceSpec, name: string, files: readonly SourceFile[]) => Source | Promise<Source>
  >
> = {
  webdataset: openWebdataset,
  parquet: openParquet,
  jsonl: openJsonl,
  img2dataset: openImg2dataset,
  folder: openFolder,
};

/** Extensions of the files that are shards, the first that are there. A folder takes all files. */
const EXTENSIONS: Readonly<Partial<Record<SourceFormat, readonly (readonly string[])[]>>> = {
  webdataset: [['tar']],
  parquet: [['parquet']],
  jsonl: [['jsonl', 'ndjson'], ['json']],
};

/** What our stages leave beside the shards. */
const BESIDE: readonly string[] = [MANIFEST, LEDGER];

/**
 * Open a folder (or one file) of samples. The format is what the spec says, else: statistics of
 * img2dataset, any tar, any parquet, JSON lines, and in the end a folder of images.
 *
 * @throws OneVisionError 'data' when nothing there is a source.
 */
export async function openSource(given: SourceSpec | string): Promise<Source> {
  const spec = typeof given === 'string' ? { path: given } : given;
  if (!existsSync(spec.path)) throw missing(spec.path, 'there is nothing');
  const all = statSync(spec.path).isDirectory() ? listFiles(spec.path) : [oneFile(spec.path)];
  const format = spec.format ?? detect(all);
  const files = choose(all, format);
  if (files.length === 0) throw missing(spec.path, 'there are none');
  const name = spec.name ?? basename(resolve(spec.path)).replace(/\.[^.]+$/, '');
  return await OPEN[format](spec, name, files);
}

function choose(all: readonly SourceFile[], format: SourceFormat): readonly SourceFile[] {
  const files = all.filter(({ name }) => !BESIDE.includes(name));
  const having = (extensions: readonly string[]): SourceFile[] =>
    files.filter(({ name }) => extensions.includes(extensionOf(name)));
  const lists = EXTENSIONS[format];
  return lists === undefined ? files : (lists.map(having).find((list) => list.length > 0) ?? []);
}

function detect(files: readonly SourceFile[]): SourceFormat {
  const has = (extension: string): boolean =>
    files.some(({ name }) => extensionOf(name) === extension);
  if (isImg2dataset(files)) return 'img2dataset';
  const archives = files.filter(({ name }) => extensionOf(name) === 'tar');
  if (archives.some(({ name }) => !name.endsWith('.images.tar'))) return 'webdataset';
  if (has('parquet')) return 'parquet';
  if (has('jsonl') || has('ndjson')) return 'jsonl';
  return files.length === 1 && has('json') ? 'jsonl' : 'folder';
}

function missing(path: string, what: string): OneVisionError {
  return new OneVisionError(
    'data',
    `Expected shards (*.tar), parquet, JSON lines or images in ${path}; ${what}.`,
    { hint: 'run the stage that fills this folder, or check the path' },
  );
}
