// Opens a module that the settings name: a scorer, an embedder. Paths are relative to the working
// folder.
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { OneVisionError } from '../core/errors.ts';

/**
 * The object that a module exports under a name; it has a function `open`.
 * @throws OneVisionError 'recipe' for a module that is missing or exports no such object.
 */
export async function openModule<T extends { open(): unknown }>(
  what: string,
  module: string,
  name: string,
): Promise<T> {
  const file = resolve(module);
  let exported: Readonly<Record<string, unknown>>;
  try {
    exported = await import(existsSync(file) ? pathToFileURL(file).href : module);
  } catch (cause) {
    throw new OneVisionError('recipe', `${what}: the module ${module} does not open`, {
      cause,
      hint: 'give the path of a module, or the name of a package that is installed',
    });
  }
  const found = exported[name] as Partial<T> | undefined;
  if (typeof found?.open === 'function') return found as T;
  throw new OneVisionError(
    'recipe',
    `${what}: expected ${module} to export ${name} with a function open, came none`,
    { hint: `export const ${name} = { open: () => … }` },
  );
}
