// `onevision pack`: curated samples → questions, tokenizer, and the packs of every stage. What needs no
// recipe is in pack/.
import { Command } from 'commander';
import { STAGES } from '../../../recipe.ts';
import { readManifest } from '../../../sample/manifest.ts';
import { addRecipeOptions, openContext, type RecipeOptions } from '../../options.ts';
import { packPiece, synthPiece, tokenizerPiece } from '../../pipeline.ts';
import { packAdoptCommand } from './pack/adopt.ts';
import { packFilesCommand } from './pack/files.ts';
import { packReportCommand } from './pack/report.ts';

export function packCommand(): Command {
  const command = new Command('pack').description('make training samples and pack every stage');
  for (const part of [packFilesCommand, packAdoptCommand, packReportCommand]) {
    command.addCommand(part());
  }
  return addRecipeOptions(command).action(async (options: RecipeOptions) => {
    const context = await openContext(options);
    if (!('from' in context.recipe.model)) {
      await synthPiece(context);
      await tokenizerPiece(context);
    }
    for (const stage of STAGES) {
      for (const folder of await packPiece(context, stage)) {
        const { counts, stats } = readManifest(folder);
        const fill = (100 * Number(stats['fill'])).toFixed(2);
        console.log(
          `${folder}: ${counts['samples']} samples, ${counts['packs']} packs, fill ${fill} %`,
        );
      }
    }
  });
}
