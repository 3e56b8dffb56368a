// The public names, nothing else.
export { OneVisionError } from './core/errors.ts';
export { defineMixture, type MixtureConfig, type MixtureInput } from './curate/mixture/config.ts';
export { defineRecipe, loadRecipe, type Recipe, type RecipeInput } from './recipe.ts';
