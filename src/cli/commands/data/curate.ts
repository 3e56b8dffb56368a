// `onevision curate`: any source → filtered, deduplicated, concept-balanced samples. With `report`
// and `mix` below it.
import { join, resolve } from 'node:path';
import { Command, type OptionValues } from 'commander';
import { OneVisionError } from '../../../core/errors.ts';
import type { CurateConfig } from '../../../curate/config.ts';
import { addClusterOptions, type ClusterOptions, runOnCluster } from '../../cluster-options.ts';
import { addRecipeOptions, openContext, parseWhole, type RecipeOptions } from '../../options.ts';
import { corpusPiece, dataPaths } from '../../pipeline.ts';

interface CurateCommandOptions extends RecipeOptions, ClusterOptions {
  readonly input?: string;
  readonly output?: string;
  readonly workers: number;
  readonly embedder?: string;
}

interface MixCommandOptions extends ClusterOptions {
  readonly mixture: string;
  readonly output?: string;
  readonly total?: number;
  readonly workers: number;
}

export function curateCommand(): Command {
  const command = new Command('curate').description(
    'filter, deduplicate and balance samples of any source',
  );
  addRecipeOptions(command)
    .option('--input <path>', 'folder or file of samples (default: a corpus)')
    .option('--output <folder>', 'default: data/curated of the run')
    .option('--workers <n>', 'processes', parseWhole, 1)
    .option('--embedder <model>', 'packaged, or a model folder');
  return addClusterOptions(command)
    .action(runCurate)
    .addCommand(reportCommand())
    .addCommand(mixCommand());
}

async function runCurate(options: CurateCommandOptions): Promise<void> {
  const { curate } = await import('../../../curate/curate.ts');
  const context = await openContext(options);
  const { raw, curated } = dataPaths(context.dir);
  const output = options.output ?? curated;
  const sending = { what: 'curate', jobs: join(context.dir, 'jobs'), recipe: context.recipe.slurm };
  await runOnCluster(options, sending, async (cluster) => {
    if (options.input === undefined) await corpusPiece(context);
    const { counts } = await curate({
      input: options.input ?? raw,
      output,
      config: await withEmbedder(context.recipe.curate, options.embedder),
      workers: options.workers,
      cluster,
      log: context.log,
    });
    console.log(`${counts['samples']} of ${counts['input']} samples kept in ${output}`);
  });
}

/** The embedder that the command names in place of the recipe's. */
async function withEmbedder(config: CurateConfig, model?: string): Promise<CurateConfig> {
  if (model === undefined) return config;
  const { embedderModule } = await import('../../embed/open-embedder.ts');
  return { ...config, embedder: await embedderModule(model) };
}

function reportCommand(): Command {
  return new Command('report')
    .description('one HTML page on a curated folder')
    .argument('[folder]', 'curated folder', 'runs/demo/data/curated')
    .option('--json', 'print JSON')
    .action(async (folder: string, options: { json?: boolean }) => {
      const { writePage } = await import('../../../curate/page/write-page.ts');
      const { path, numPictures } = await writePage(folder);
      if (options.json) console.log(JSON.stringify({ path, numPictures }));
      else console.log(`${resolve(path)} (${numPictures} pictures)`);
    });
}

function mixCommand(): Command {
  return new Command('mix')
    .description('mix instruction data by category')
    .argument('<inputs...>', 'folders or files of samples')
    .requiredOption('--mixture <file>', 'module of the mixture, see recipes/')
    .option('--output <folder>', 'where the samples go')
    .option('--total <n>', 'samples in all (default: as many as there are)', parseWhole)
    .action(async (inputs: string[], _own: OptionValues, command: Command) => {
      // `curate` has an --output of its own, which takes the value; so all of them are looked at.
      const options = command.optsWithGlobals<MixCommandOptions>();
      const { mixture: file, output, total, workers } = options;
      if (output === undefined) {
        throw new OneVisionError('usage', 'curate mix: expected --output <folder>, came none');
      }
      const { loadMixture } = await import('../../../curate/mixture/load.ts');
      const { mix } = await import('../../../curate/mixture/mix.ts');
      const mixture = await loadMixture(file);
      const config = total === undefined ? mixture : { ...mixture, total };
      const sending = { what: 'mix', jobs: `${output}.jobs` };
      await runOnCluster(options, sending, async (cluster) => {
        const { counts } = await mix({ inputs, output, config, workers, cluster });
        const { samples, input } = counts;
        console.log(`${samples} of ${input} samples mixed in ${output}; see DATACARD.md there`);
      });
    });
}
