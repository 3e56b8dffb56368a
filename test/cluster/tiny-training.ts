// A tiny training as the command line starts it, for tests of what goes on between machines: its recipe,
// its command, its losses.
import type { ChildProcess } from 'node:child_process';
import { cpSync, existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { readJsonlSync } from '../../src/core/jsonl.ts';
import { prepareRankRun } from '../support/ranks-program.ts';
import { TINY_PROCESSOR } from '../support/tiny-data.ts';

/** Makes data, packs, tokenizer and a recipe of one stage of `steps` steps in `root`. */
export async function prepareTraining(
  root: string,
  train: { readonly steps: number; readonly saveEvery: number },
): Promise<void> {
  await prepareRankRun(root);
  const stage = (steps: number): object => ({
    phases: [{ packs: join(root, 'small-packs') }],
    train: { ...train, steps, packsPerStep: 2, logEvery: 1, workers: 0, optimizer: { lr: 1e-3 } },
  });
  const recipe = {
    name: 'tiny',
    model: { width: 32, headDim: 16, visionLayers: 1, textLayers: 1 },
    tokenizer: { vocabSize: 300 },
    processor: TINY_PROCESSOR,
    stages: { align: stage(train.steps), 'mid-train': stage(1), instruct: stage(1) },
  };
  writeFileSync(join(root, 'recipe.mjs'), `export default ${JSON.stringify(recipe)};\n`);
}

/** Arguments for Node: `onevision train` of that stage in the run folder of this name. */
export function trainingArgs(root: string, run: string, where: readonly string[]): string[] {
  cpSync(join(root, 'tokenizer'), join(root, run, 'data', 'tokenizer'), { recursive: true });
  const flags = ['--disable-warning=ExperimentalWarning', 'src/cli/main.ts', 'train'];
  const recipe = ['--recipe', join(root, 'recipe.mjs'), '--run', join(root, run)];
  return [...flags, ...recipe, '--stage', 'align', ...where];
}

/** Everything a process says on both streams; the last line is its exit code. */
export function endOf(child: ChildProcess): Promise<string> {
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on('data', (bytes: Buffer) => {
      output += bytes.toString();
    });
  }
  return new Promise((resolve) => {
    child.once('close', (code) => resolve(`${output}\nexit code ${code}`));
  });
}

/** Step → loss of a run, in full; of a step that was made again, the later one. */
export function lossesOf(root: string, run: string): Map<unknown, unknown> {
  const path = join(root, run, 'metrics.jsonl');
  const rows = (existsSync(path) ? readJsonlSync(path) : []) as Record<string, unknown>[];
  return new Map(
    rows
      .filter((row) => row['train/loss'] !== undefined)
      .map((row) => [row['step'], row['train/loss']]),
  );
}
