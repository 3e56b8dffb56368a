// `onevision curate`: corpus → filtered, deduplicated, concept-balanced samples.
import { Command } from 'commander';
import { addRecipeOptions, openContext, type RecipeOptions } from '../options.ts';
import { corpusPiece, curatePiece, dataPaths } from '../pipeline.ts';

export function curateCommand(): Command {
  const command = new Command('curate').description('make the corpus and curate it');
  return addRecipeOptions(command).action(async (options: RecipeOptions) => {
    const context = await openContext(options);
    await corpusPiece(context);
    const { counts } = await curatePiece(context);
    const { curated } = dataPaths(context.dir);
    console.log(`${counts['samples']} of ${counts['input']} samples kept in ${curated}`);
  });
}
