// `onevision train`: trains the stages of a recipe on its packs; resumes by itself.
import { Command, Option } from 'commander';
import { STAGES, type StageName } from '../../../recipe.ts';
import { addRecipeOptions, openContext, type RecipeOptions } from '../../options.ts';

interface TrainOptions extends RecipeOptions {
  readonly stage: StageName | 'all';
}

export function trainCommand(): Command {
  const command = new Command('train')
    .description('train align, mid-train and instruct; goes on where it stopped')
    .argument('[recipe]', 'recipe module, in the place of --recipe')
    .addOption(
      new Option('--stage <name>', 'last stage to train')
        .choices([...STAGES, 'all'])
        .default('all'),
    );
  const run = async (file: string | undefined, { stage, ...options }: TrainOptions) => {
    const { lastCheckpoint, trainRun } = await import('../../train-run.ts');
    const context = await openContext({ ...options, recipe: file ?? options.recipe });
    await trainRun(context, stage === 'all' ? 'instruct' : stage);
    console.log(await lastCheckpoint(context.dir));
  };
  return addRecipeOptions(command).action(run);
}
