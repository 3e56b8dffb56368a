// The public names, nothing else.
export { OneVisionError } from './core/errors.ts';
export { defineRecipe, loadRecipe, type Recipe, type RecipeInput } from './recipe.ts';
