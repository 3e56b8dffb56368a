// The sizes of a recipe's model without opening its weights: of its folder where that is there, else the
// named ones.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import * as z from 'zod';
import { OneVisionError } from '../../core/errors.ts';
import { readJson } from '../../core/files.ts';
import { configFromHuggingFace } from '../../model/checkpoint/read-config.ts';
import type { OneVisionConfig } from '../../model/config.ts';
import { SIZES, tinyConfig } from '../../model/presets.ts';
import type { Recipe } from '../../recipe.ts';

/** @throws OneVisionError 'checkpoint' where there is neither a folder nor a named size. */
export function modelConfig({ model, tokenizer }: Recipe): OneVisionConfig {
  if (!('from' in model)) {
    const ids = { ...SIZES['4b'], vocabSize: tokenizer?.vocabSize ?? 0 };
    return tinyConfig(ids, model);
  }
  const file = join(model.from, 'config.json');
  if (existsSync(file))
    return configFromHuggingFace(readJson(file, z.unknown(), 'checkpoint'), file);
  if (model.sizes !== undefined) return SIZES[model.sizes];
  throw new OneVisionError('checkpoint', `Expected a model in ${model.from}, found none.`, {
    hint: 'make it with onevision convert merge, or name its sizes in the recipe: model.sizes',
  });
}
