// `onevision plan`: hours, dollars and memory of a recipe before it runs. Computes; trains nothing.
import { Command, InvalidArgumentError } from 'commander';
import { OneVisionError } from '../../../core/errors.ts';
import { addRecipeOptions, openContext, parseWhole, type RecipeOptions } from '../../options.ts';

interface PlanOptions extends RecipeOptions {
  readonly gpus: number;
  readonly gpu: string;
  readonly price?: number;
  readonly mfu?: number;
  readonly measured?: string;
  readonly original?: boolean;
  readonly json?: boolean;
}

export function planCommand(): Command {
  const command = new Command('plan')
    .description('what a recipe takes: FLOPs, hours, dollars and memory')
    .argument('[recipe]', 'recipe module, in the place of --recipe')
    .option('--gpus <n>', 'how many GPUs', parseWhole, 8)
    .option('--gpu <name>', 'a800, a100, h100, h200, b200, l40s, rtx4090', 'h100')
    .option('--price <dollars>', 'of an hour of one GPU', parseNumber)
    .option('--mfu <percent>', 'share of the peak that is used', parseNumber)
    .option('--measured <folder>', 'take the MFU that this run reached')
    .option('--original', "price the original's run instead")
    .option('--json', 'print JSON');
  return addRecipeOptions(command).action(
    async (file: string | undefined, options: PlanOptions) => {
      const { formatOriginal, formatPlan } = await import('../../plan/show-plan.ts');
      if (options.original === true) {
        const { checkOriginal } = await import('../../../train/price/original.ts');
        const check = checkOriginal();
        console.log(options.json === true ? JSON.stringify(check, null, 2) : formatOriginal(check));
        return;
      }
      const { planRecipe } = await import('../../plan/plan-recipe.ts');
      const context = await openContext({ ...options, recipe: file ?? options.recipe });
      const plan = await planRecipe(context, await settingsOf(options));
      console.log(options.json === true ? JSON.stringify(plan, null, 2) : formatPlan(plan));
    },
  );
}

async function settingsOf(
  options: PlanOptions,
): Promise<Parameters<typeof import('../../plan/plan-recipe.ts').planRecipe>[1]> {
  const { findGpu, GPUS } = await import('../../../train/price/gpus.ts');
  const gpu = findGpu(options.gpu);
  if (gpu === undefined) {
    const names = GPUS.map(({ name }) => name).join(', ');
    throw new OneVisionError('usage', `Expected a GPU of the table, came ${options.gpu}.`, {
      hint: `known are ${names}; src/train/price/gpus.ts is the table`,
    });
  }
  const cluster = {
    gpu,
    numGpus: options.gpus,
    pricePerHour: options.price ?? gpu.pricePerHour,
  };
  const { measured } = options;
  const percent = measured === undefined ? options.mfu : await measuredMfu(measured);
  return { cluster, mfu: percent === undefined ? undefined : percent / 100 };
}

/** Median of what a run logged, percent. @throws OneVisionError 'data' where it logged none. */
async function measuredMfu(dir: string): Promise<number> {
  const { readMetrics } = await import('../../../track/read.ts');
  const values = (await readMetrics(dir))
    .map((row) => row['perf/mfu'])
    .filter((value) => value !== undefined)
    .sort((a, b) => a - b);
  const median = values[Math.floor(values.length / 2)];
  if (median !== undefined) return 100 * median;
  throw new OneVisionError('data', `Expected perf/mfu in the metrics of ${dir}, found none.`, {
    hint: 'MFU is logged on GPUs whose peak is known; give --mfu instead',
  });
}

function parseNumber(text: string): number {
  const value = Number(text);
  if (text.trim() !== '' && Number.isFinite(value) && value > 0) return value;
  throw new InvalidArgumentError('Expected a number above 0.');
}
