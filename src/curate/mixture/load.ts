// Opens a mixture module.
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { OneVisionError } from '../../core/errors.ts';
import { defineMixture, type MixtureConfig, type MixtureInput } from './config.ts';

/** @throws OneVisionError 'recipe' for a missing file, a module without a mixture, or a wrong key */
export async function loadMixture(path: string): Promise<MixtureConfig> {
  const hint = 'recipes/llava-onevision-1.5-instruct.ts is one to start from';
  const file = resolve(path);
  if (!existsSync(file)) {
    throw new OneVisionError('recipe', `Expected a mixture module at ${path}; there is none.`, {
      hint,
    });
  }
  const module = (await import(pathToFileURL(file).href)) as { default?: unknown };
  if (typeof module.default !== 'object' || module.default === null) {
    throw new OneVisionError('recipe', `Expected ${path} to export a mixture as default.`, {
      hint,
    });
  }
  return defineMixture(module.default as MixtureInput);
}
