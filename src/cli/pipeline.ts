// The whole pipeline as a list of pieces. Each piece reads finished folders, writes one folder with
// a manifest, and does nothing when that is there already: running again goes on where it stopped.
// What does the work is loaded when it is called for: `--help` comes here too.
import { existsSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import type { Cluster } from '../cluster/run-shards.ts';
import type { Logger } from '../core/log.ts';
import type { Recipe, StageName } from '../recipe.ts';
import {
  hashConfig,
  isComplete,
  MANIFEST,
  type Manifest,
  readManifest,
  writeManifest,
} from '../sample/manifest.ts';
import { setFolder } from '../synth/config.ts';
import type { StagePhase } from '../train/stage.ts';

/** What every piece needs to know. */
export interface PipelineContext {
  readonly recipe: Recipe;
  /** The run folder. */
  readonly dir: string;
  readonly log: Logger;
}

/** Folders of a run that hold data; metrics, checkpoints and scores are in track/protocol.ts. */
export interface DataPaths {
  readonly raw: string;
  readonly curated: string;
  readonly samples: string;
  readonly tokenizer: string;
  packs(stage: StageName, phase: number): string;
}

export function dataPaths(dir: string): DataPaths {
  const data = join(dir, 'data');
  return {
    raw: join(data, 'raw'),
    curated: join(data, 'curated'),
    samples: join(data, 'samples'),
    tokenizer: join(data, 'tokenizer'),
    packs: (stage, phase) => join(dir, 'packs', `${stage}-${phase + 1}`),
  };
}

/** Packages → raw samples. */
export async function corpusPiece({ recipe, dir, log }: PipelineContext): Promise<Manifest> {
  const { buildCorpus } = await import('../sample/corpus/corpus.ts');
  return buildCorpus({ output: dataPaths(dir).raw, ...recipe.corpus, log });
}

/** Raw → filtered, deduplicated, concept-balanced samples. */
export async function curatePiece({ recipe, dir, log }: PipelineContext): Promise<Manifest> {
  const { curate } = await import('../curate/curate.ts');
  const { raw, curated } = dataPaths(dir);
  const workers = availableParallelism();
  return curate({ input: raw, output: curated, config: recipe.curate, workers, log });
}

/** Curated samples → questions with exact answers, for training and held out. */
export async function synthPiece({ recipe, dir, log }: PipelineContext): Promise<void> {
  const { synthesise } = await import('../synth/synthesise.ts');
  const { curated, samples } = dataPaths(dir);
  await synthesise({ inputs: [curated], output: samples, config: recipe.synth, log });
}

/** Texts of the training samples → a byte-level BPE tokenizer. */
export async function tokenizerPiece({ recipe, dir }: PipelineContext): Promise<Manifest> {
  const { samples, tokenizer: output } = dataPaths(dir);
  if (recipe.tokenizer === undefined) throw new RangeError('a model folder has its tokenizer');
  const folders = recipe.synth.sets
    .filter((set) => set.pool === 'train')
    .map((set) => join(samples, setFolder(set)));
  const inputs = folders.map((folder) => readManifest(folder).configHash);
  const configHash = hashConfig('tokenizer/1', recipe.tokenizer, inputs);
  if (isComplete(output, configHash)) return readManifest(output);
  const { readSamples } = await import('../sample/webdataset.ts');
  const { createTokenizer } = await import('../text/tokenizer.ts');
  const { trainTokenizer } = await import('../text/train-bpe.ts');
  const texts: string[] = [];
  for (const folder of folders) {
    for await (const sample of readSamples(folder)) {
      texts.push(...sample.messages.map((message) => message.content.replaceAll('<image>', '')));
    }
  }
  const { vocabSize, defaultSystem } = recipe.tokenizer;
  const tokenizer = createTokenizer(trainTokenizer(texts, vocabSize, { defaultSystem }));
  await tokenizer.save(output);
  const manifest: Manifest = {
    format: 'onevision/1',
    kind: 'tokenizer',
    stage: 'tokenizer',
    configHash,
    counts: { texts: texts.length, tokens: tokenizer.vocabSize },
    files: [],
    stats: {},
  };
  await writeManifest(output, manifest);
  return manifest;
}

/** Whether a folder is a finished pack set of ours. */
function isPackSet(dir: string): boolean {
  return existsSync(join(dir, MANIFEST)) && readManifest(dir).kind === 'packs';
}

/** The phases of a stage with the pack sets they train on: of ours as they lie, others adopted. */
export function stagePhases({ recipe, dir }: PipelineContext, stage: StageName): StagePhase[] {
  const paths = dataPaths(dir);
  return recipe.stages[stage].phases.map(({ packs, steps }, index) => {
    const own = paths.packs(stage, index);
    if (packs === undefined) return { packs: own, steps };
    const sources = typeof packs === 'string' ? [{ from: packs }] : packs;
    const placed = sources.map((source, i) => {
      const adopted = sources.length === 1 ? own : `${own}-${i + 1}`;
      return { ...source, from: isPackSet(source.from) ? source.from : adopted };
    });
    return { packs: placed, steps };
  });
}

/** Folder of the tokenizer that a run's packs are counted with. */
export function tokenizerFolder({ recipe, dir }: PipelineContext): string {
  return 'from' in recipe.model ? recipe.model.from : dataPaths(dir).tokenizer;
}

/**
 * The mix of each phase of a stage, or the packs that others released → packs.
 * @returns the folders, in order of the phases.
 */
export async function packPiece(
  context: PipelineContext,
  stage: StageName,
  cluster?: Cluster,
): Promise<string[]> {
  const { adoptPacks } = await import('../pack/adopt.ts');
  const { pack } = await import('../pack/pack.ts');
  const { recipe, dir, log } = context;
  const { samples } = dataPaths(dir);
  const tokenizer = tokenizerFolder(context);
  const { processor, pack: config } = recipe;
  const folders: string[] = [];
  for (const [index, { packs }] of stagePhases(context, stage).entries()) {
    const given = recipe.stages[stage].phases[index];
    if (typeof packs === 'string') {
      const inputs = Object.entries(given?.mix ?? {}).map(([name, count]) => ({
        dir: join(samples, setFolder({ pool: 'train', name })),
        count,
      }));
      await pack({ inputs, output: packs, config, tokenizer, processor, cluster, log });
      folders.push(packs);
      continue;
    }
    const inputs = typeof given?.packs === 'string' ? [{ from: given.packs }] : given?.packs;
    for (const [i, { from: output }] of packs.entries()) {
      const input = inputs?.[i]?.from ?? output;
      if (input !== output) {
        await adoptPacks({ ...config, input, output, tokenizer, processor, cluster, log });
      }
      folders.push(output);
    }
  }
  return folders;
}
