// `onevision pack adopt`: packs that others released, ready for training as they are.
import { Command, type OptionValues } from 'commander';
import { log } from '../../../../core/log.ts';
import { QWEN_PROCESSOR } from '../../../../image/config.ts';
import { addClusterOptions, type ClusterOptions, runOnCluster } from '../../../cluster-options.ts';
import { parseWhole } from '../../../options.ts';

interface AdoptCommandOptions extends ClusterOptions {
  readonly output: string;
  readonly tokenizer: string;
  readonly maxTokens?: number;
  readonly workers?: number;
}

export function packAdoptCommand(): Command {
  const command = new Command('adopt')
    .description('make a pack set of released packs, without copying')
    .argument('<folder>', 'folder of archives')
    .requiredOption('--output <folder>', 'folder of the pack set')
    .requiredOption('--tokenizer <folder>', 'folder with tokenizer.json')
    .option('--max-tokens <n>', 'tokens of a pack; longer ones are left out (8192)', parseWhole)
    .option('--workers <n>', 'processes (one a core)', parseWhole);
  return addClusterOptions(command).action(async (input: string, _own: OptionValues) => {
    // `pack` has the options of clusters too and takes their values; so all of them are looked at.
    const options = command.optsWithGlobals<AdoptCommandOptions>();
    const { output, tokenizer, maxTokens, workers } = options;
    const { adoptPacks } = await import('../../../../pack/adopt.ts');
    const sending = { what: 'adopt', jobs: `${output}.jobs` };
    await runOnCluster(options, sending, async (cluster) => {
      const settings = { tokenizer, workers, cluster, processor: QWEN_PROCESSOR, log };
      const limit = maxTokens === undefined ? {} : { maxTokens };
      const { counts } = await adoptPacks({ input, output, ...limit, ...settings });
      console.log(`${output}: ${counts['packs']} packs of ${counts['samples']} samples`);
    });
  });
}
