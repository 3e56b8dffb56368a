// `onevision demo`: the whole pipeline on real data, from raw pictures to an answer about a new one.
import { availableParallelism, totalmem } from 'node:os';
import { join } from 'node:path';
import { Command } from 'commander';
import { formatDuration } from '../../core/progress.ts';
import { STAGES } from '../../recipe.ts';
import { addRecipeOptions, openContext, type RecipeOptions } from '../options.ts';
import {
  corpusPiece,
  curatePiece,
  type PipelineContext,
  packPiece,
  synthPiece,
  tokenizerPiece,
} from '../pipeline.ts';

/** A part of the demo: what it is called, and what it does. */
type Piece = readonly [title: string, run: (context: PipelineContext) => Promise<unknown>];

const PIECES: readonly Piece[] = [
  ['Corpus: render emoji art of four styles', corpusPiece],
  ['Curation: filter, deduplicate, balance by concept', curatePiece],
  ['Tasks: questions with exact answers on real pictures', synthPiece],
  ['Tokenizer: byte-level BPE', tokenizerPiece],
  ['Packing', packAll],
  ['Training: align, mid-train, instruct', trainAll],
];

export function demoCommand(): Command {
  const command = new Command('demo').description(
    'run the whole pipeline on real data; go on where it stopped',
  );
  return addRecipeOptions(command).action(async (options: RecipeOptions) => {
    await runDemo(await openContext(options));
  });
}

async function runDemo(context: PipelineContext): Promise<void> {
  const { recipe, dir } = context;
  const started = performance.now();
  say(banner(context));
  for (const [index, [title, run]] of PIECES.entries()) {
    const begun = performance.now();
    say(`\n${index + 1}/${PIECES.length + 1}  ${title}`);
    await run(context);
    say(`     done in ${formatDuration((performance.now() - begun) / 1000)}`);
  }
  say(
    `\n${PIECES.length + 1}/${PIECES.length + 1}  Evaluation: pictures that training never saw\n`,
  );
  const { evaluateRun } = await import('../eval/evaluate-run.ts');
  const { resultsTable } = await import('../../eval/index.ts');
  const summaries = await evaluateRun(context, recipe.eval);
  say(`\n${resultsTable(summaries)}\n`);
  const { saveGallery } = await import('../show-answers.ts');
  const { closingQuestion } = await import('../show-answers.ts');
  const gallery = await saveGallery(dir, recipe.eval);
  for (const line of await closingQuestion(dir, summaries)) say(line);
  say(`\nResults      ${join(dir, 'results.json')}`);
  say(`Answers      ${gallery}`);
  say(`Ask yourself npm run onevision -- chat --run ${dir} --image FILE "What is this?"`);
  say(`\nDone in ${formatDuration((performance.now() - started) / 1000)}.`);
}

function banner({ recipe, dir }: PipelineContext): string {
  const steps = STAGES.map((stage) => `${stage} ${recipe.stages[stage].train.steps}`).join(', ');
  const memory = (totalmem() / 2 ** 30).toFixed(0);
  return [
    'OneVision: a vision-language model from nothing.',
    `  machine  ${availableParallelism()} cores, ${memory} GiB`,
    `  run      ${dir} (seed ${recipe.seed})`,
    `  steps    ${steps}`,
    '  stop it at any time; the same command goes on where it stopped',
  ].join('\n');
}

async function packAll(context: PipelineContext): Promise<void> {
  for (const stage of STAGES) await packPiece(context, stage);
}

async function trainAll(context: PipelineContext): Promise<void> {
  const { trainRun } = await import('../train-run.ts');
  await trainRun(context);
}

function say(line: string): void {
  console.log(line);
}
