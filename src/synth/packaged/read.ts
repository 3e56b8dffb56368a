// Reads the files of packages: JSON checked by a schema, and comma-separated tables without quotes.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type * as z from 'zod';
import { readJson } from '../../core/files.ts';
import { packageFolder } from '../../sample/corpus/packages.ts';

/** @throws OneVisionError 'data' when the package is not here or the file of another shape */
export function readPackageJson<T>(name: string, file: string, schema: z.ZodType<T>): T {
  return readJson(join(packageFolder(name), file), schema);
}

/** Rows by the names in the first line. @throws OneVisionError 'data' when the package is not here */
export function readPackageCsv(name: string, file: string): Record<string, string>[] {
  const text = readFileSync(join(packageFolder(name), file), 'utf8');
  const [head = '', ...lines] = text.trim().split(/\r?\n/);
  const columns = head.split(',');
  return lines.map((line) => {
    const cells = line.split(',');
    return Object.fromEntries(columns.map((column, place) => [column, cells[place] ?? '']));
  });
}
