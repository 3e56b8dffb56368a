// `onevision pack files`: any sources of samples → packs, without a recipe.
import { Command, InvalidArgumentError, Option } from 'commander';
import { log } from '../../../../core/log.ts';
import { QWEN_PROCESSOR } from '../../../../image/config.ts';
import { PackConfigSchema } from '../../../../pack/config.ts';
import { LAYOUT_NAMES, type LayoutName } from '../../../../pack/layouts/layout.ts';
import { addClusterOptions, type ClusterOptions, runOnCluster } from '../../../cluster-options.ts';
import { parseWhole } from '../../../options.ts';

interface FilesOptions extends ClusterOptions {
  readonly output: string;
  readonly tokenizer: string;
  readonly layout: LayoutName;
  readonly maxTokens?: number;
  readonly maxPatches?: number;
  readonly multiple?: number;
  readonly maxPixels?: number;
  readonly maxSkipRate?: number;
  readonly workers?: number;
  readonly seed?: number;
  readonly json?: boolean;
}

export function packFilesCommand(): Command {
  const command = new Command('files')
    .description('pack samples of any source without a recipe')
    .argument('<input...>', 'folders or files of samples')
    .requiredOption('--output <folder>', 'folder of the packs')
    .requiredOption('--tokenizer <folder>', 'folder with tokenizer.json')
    .addOption(
      new Option('--layout <name>', 'how packs lie on disk')
        .choices(LAYOUT_NAMES)
        .default('onevision'),
    )
    .option('--max-tokens <n>', 'tokens of a pack (8192)', parseWhole)
    .option('--max-patches <n>', 'vision patches of a pack (32768)', parseWhole)
    .option('--max-pixels <n>', 'pixels of an image (2560000)', parseWhole)
    .option('--multiple <n>', 'number of packs is a multiple of this', parseWhole)
    .option('--max-skip-rate <share>', 'unreadable samples to forgive (0.001)', parseShare)
    .option('--workers <n>', 'processes (one a core)', parseWhole)
    .option('--seed <n>', 'of the plan (0)', parseWhole)
    .option('--json', 'print JSON');
  // `pack` has the options of clusters too and takes their values; so all of them are looked at.
  return addClusterOptions(command).action((inputs: string[]) =>
    packFiles(inputs, command.optsWithGlobals<FilesOptions>()),
  );
}

async function packFiles(inputs: readonly string[], options: FilesOptions): Promise<void> {
  const { pack } = await import('../../../../pack/pack.ts');
  const { output, tokenizer, layout, maxPixels, json } = options;
  const { maxTokens, maxPatches, multiple, maxSkipRate, workers, seed } = options;
  const settings = { maxTokens, maxPatches, multiple, maxSkipRate, workers, seed };
  const config = PackConfigSchema.parse({ ...settings, layout });
  const processor = { ...QWEN_PROCESSOR, ...(maxPixels === undefined ? {} : { maxPixels }) };
  const shares = inputs.map((dir) => ({ dir }));
  const sending = { what: 'pack', jobs: `${output}.jobs` };
  await runOnCluster(options, sending, async (cluster) => {
    const work = { config, tokenizer, processor, cluster, log };
    const manifest = await pack({ inputs: shares, output, ...work });
    if (json) console.log(JSON.stringify(manifest));
    else console.log(`${output}: ${manifest.counts['packs']} packs`);
  });
}

function parseShare(text: string): number {
  const value = Number(text);
  if (value >= 0 && value <= 1) return value;
  throw new InvalidArgumentError('Expected a number from 0 to 1.');
}
