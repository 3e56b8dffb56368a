// `onevision pack adopt`: packs that others released, ready for training as they are.
import { Command } from 'commander';
import { log } from '../../../../core/log.ts';
import { QWEN_PROCESSOR } from '../../../../image/config.ts';
import { adoptPacks } from '../../../../pack/adopt.ts';
import { parseWhole } from '../../../options.ts';

interface AdoptCommandOptions {
  readonly output: string;
  readonly tokenizer: string;
  readonly maxTokens?: number;
  readonly workers?: number;
}

export function packAdoptCommand(): Command {
  return new Command('adopt')
    .description('make a pack set of released packs without copying them')
    .argument('<folder>', 'folder of archives, such as LLaVA-558K-Webdataset')
    .requiredOption('--output <folder>', 'folder of the pack set')
    .requiredOption('--tokenizer <folder>', 'folder with tokenizer.json')
    .option('--max-tokens <number>', 'leave longer packs out (8192)', parseWhole)
    .option('--workers <number>', 'processes (one a core)', parseWhole)
    .action(async (input: string, options: AdoptCommandOptions) => {
      const { counts } = await adoptPacks({ input, ...options, processor: QWEN_PROCESSOR, log });
      console.log(`${options.output}: ${counts['packs']} packs of ${counts['samples']} samples`);
    });
}
