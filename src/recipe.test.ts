// Recipes: what a wrong one is told, overrides, and that ours are right.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import demo from '../recipes/demo.ts';
import { defineRecipe, loadRecipe, type RecipeInput } from './recipe.ts';

const dir = mkdtempSync(join(tmpdir(), 'onevision-recipe-'));
after(() => rmSync(dir, { recursive: true, force: true }));
const DEMO = 'recipes/demo.ts';

test('an unknown key is an error that names it and where it stands', () => {
  const wrong = { ...demo, stages: { ...demo.stages, algin: {} } } as unknown as RecipeInput;
  assert.throws(() => defineRecipe(wrong), { code: 'recipe', message: /algin[\s\S]*stages/ });
});

test('a value out of range is an error that says what was expected', async () => {
  const override = 'stages.align.train.steps=0';
  await assert.rejects(loadRecipe(DEMO, [override]), {
    code: 'recipe',
    message: /stages\.align\.train\.steps/,
  });
});

test('--set changes one setting and leaves the rest', async () => {
  const recipe = await loadRecipe(DEMO, ['stages.align.train.steps=7', 'seed=3']);
  assert.equal(recipe.stages.align.train.steps, 7);
  assert.equal(recipe.seed, 3);
  assert.deepEqual(recipe.stages.instruct, demo.stages.instruct);
});

test('--set without a value, or below nothing, is refused', async () => {
  await assert.rejects(loadRecipe(DEMO, ['seed']), { code: 'usage', message: /key\.path=value/ });
  await assert.rejects(loadRecipe(DEMO, ['no.such=1']), { code: 'recipe', message: /"no"/ });
});

test('a missing module and one without a recipe are named errors', async () => {
  await assert.rejects(loadRecipe(join(dir, 'gone.ts')), { code: 'recipe', message: /gone\.ts/ });
  const empty = join(dir, 'empty.ts');
  writeFileSync(empty, 'export const other = 1;\n');
  await assert.rejects(loadRecipe(empty), { code: 'recipe', message: /default/ });
});
