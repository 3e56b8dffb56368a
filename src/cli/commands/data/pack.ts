// `onevision pack`: curated samples → questions, tokenizer, and the packs of every stage. What needs no
// recipe is in pack/.
import { join } from 'node:path';
import { Command } from 'commander';
import type { Cluster } from '../../../cluster/run-shards.ts';
import { STAGES } from '../../../recipe.ts';
import { readManifest } from '../../../sample/manifest.ts';
import { addClusterOptions, type ClusterOptions, runOnCluster } from '../../cluster-options.ts';
import { addRecipeOptions, openContext, type RecipeOptions } from '../../options.ts';
import { type PipelineContext, packPiece, synthPiece, tokenizerPiece } from '../../pipeline.ts';
import { packAdoptCommand } from './pack/adopt.ts';
import { packFilesCommand } from './pack/files.ts';
import { packReportCommand } from './pack/report.ts';

export function packCommand(): Command {
  const command = new Command('pack').description('make training samples and pack every stage');
  for (const part of [packFilesCommand, packAdoptCommand, packReportCommand]) {
    command.addCommand(part());
  }
  return addClusterOptions(addRecipeOptions(command)).action(
    async (options: RecipeOptions & ClusterOptions) => {
      const context = await openContext(options);
      const { dir, recipe } = context;
      const sending = { what: 'pack', jobs: join(dir, 'jobs'), recipe: recipe.slurm };
      await runOnCluster(options, sending, (cluster) => packAll(context, cluster));
    },
  );
}

async function packAll(context: PipelineContext, cluster: Cluster | undefined): Promise<void> {
  if (!('from' in context.recipe.model)) {
    await synthPiece(context);
    await tokenizerPiece(context);
  }
  for (const stage of STAGES) {
    for (const folder of await packPiece(context, stage, cluster)) {
      const { counts, stats } = readManifest(folder);
      const fill = (100 * Number(stats['fill'])).toFixed(2);
      console.log(
        `${folder}: ${counts['samples']} samples, ${counts['packs']} packs, fill ${fill} %`,
      );
    }
  }
}
