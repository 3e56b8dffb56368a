// `onevision convert`: model folders out of other models, in and out of Megatron, adapters, figures.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { Command } from 'commander';
import { OneVisionError } from '../../../core/errors.ts';
import { parseWhole } from '../../options.ts';

interface MergeFlags {
  readonly vision: string;
  readonly decoder: string;
  readonly projector?: string;
  readonly processor?: string;
  readonly output: string;
  readonly seed: number;
}

export function convertCommand(): Command {
  return new Command('convert')
    .description('build, translate and describe model folders')
    .addCommand(mergeCommand())
    .addCommand(megatronCommand())
    .addCommand(loraCommand())
    .addCommand(emaCommand())
    .addCommand(infoCommand());
}

function mergeCommand(): Command {
  return new Command('merge')
    .description('build a stage-0 model: RICE-ViT, a fresh merger, Qwen3')
    .requiredOption('--vision <folder>', 'RICE-ViT')
    .requiredOption('--decoder <folder>', 'Qwen3, dense or of experts')
    .option('--projector <folder>', 'take a trained merger from here instead of a fresh one')
    .option('--processor <folder>', 'tokenizer and image settings (default: of the decoder)')
    .requiredOption('--output <folder>', 'where the model goes')
    .option('--seed <n>', 'of the fresh merger', parseWhole, 0)
    .action(async (flags: MergeFlags) => {
      const { convertMerge } = await import('../../convert-model.ts');
      await convertMerge(flags);
    });
}

function megatronCommand(): Command {
  return new Command('megatron')
    .description("translate the original's Megatron checkpoints (TP 1, PP 1), either way")
    .argument('<from>', 'a Megatron checkpoint, or a model folder')
    .option('--like <folder>', 'model folder whose config and tokenizer to take')
    .requiredOption('--output <folder>', 'where the result goes')
    .action(async (from: string, { like, output }: { like?: string; output: string }) => {
      const { convertFromMegatron, convertToMegatron } = await import('../../convert-model.ts');
      if (existsSync(join(from, 'config.json'))) return convertToMegatron(from, output);
      if (like !== undefined) return convertFromMegatron(from, like, output);
      throw new OneVisionError('usage', `Expected --like for the Megatron checkpoint ${from}.`, {
        hint: 'give a model folder of the same sizes: Megatron files hold no config of ours',
      });
    });
}

function loraCommand(): Command {
  return new Command('lora')
    .description("merge a LoRA adapter in PEFT's layout into its base")
    .argument('<adapter>', 'folder with adapter_config.json and adapter_model.safetensors')
    .requiredOption('--base <folder>', 'the model it was trained on')
    .requiredOption('--output <folder>', 'where the model goes')
    .action(async (adapter: string, { base, output }: { base: string; output: string }) => {
      const { convertLora } = await import('../../convert-model.ts');
      await convertLora(base, adapter, output);
    });
}

function emaCommand(): Command {
  return new Command('ema')
    .description("make a model of a checkpoint's moving average")
    .argument('<checkpoint>', 'a checkpoint folder with ema.safetensors')
    .requiredOption('--output <folder>', 'where the model goes')
    .action(async (checkpoint: string, { output }: { output: string }) => {
      const { convertEma } = await import('../../convert-model.ts');
      await convertEma(checkpoint, output);
    });
}

function infoCommand(): Command {
  return new Command('info')
    .description('parameters and bytes of each part of a model folder')
    .argument('<folder>', 'a model folder')
    .option('--json', 'print JSON')
    .action(async (folder: string, { json = false }: { json?: boolean }) => {
      const { printInfo } = await import('../../convert-model.ts');
      printInfo(folder, json);
    });
}
