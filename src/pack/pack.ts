// The pack stage: measure, draw the mix, plan, write, report. Resumable and deterministic.

import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { OneVisionError } from '../core/errors.ts';
import { ensureFolder, sweepTemporary } from '../core/files.ts';
import { openJournal } from '../core/journal.ts';
import type { Logger } from '../core/log.ts';
import { createProgress } from '../core/progress.ts';
import type { ProcessorConfig } from '../image/config.ts';
import { LEDGER, type LedgerRow, writeLedger } from '../sample/ledger.ts';
import {
  hashConfig,
  isComplete,
  type Manifest,
  readManifest,
  writeManifest,
} from '../sample/manifest.ts';
import { createSkipCounter } from '../sample/skips.ts';
import { loadTokenizer } from '../text/tokenizer.ts';
import type { PackConfig, PackInput } from './config.ts';
import { type LengthContext, measureFolder, tokenizerHash } from './lengths.ts';
import { drawCopies, drawCounts } from './mixture.ts';
import { type Lengths, type PackPlan, planPacks } from './plan.ts';
import { FilePool } from './ranges.ts';
import { fetchSample, type SampleLocation, writePacks } from './write.ts';

export interface PackOptions {
  /** The mix: finished folders of samples. */
  readonly inputs: readonly PackInput[];
  /** Folder of the pack set; created. */
  readonly output: string;
  readonly config: PackConfig;
  /** Folder with tokenizer.json and tokenizer_config.json. */
  readonly tokenizer: string;
  readonly processor: ProcessorConfig;
  readonly log: Logger;
  /** Called after each pack that is written. */
  readonly onPack?: (pack: number) => void;
}

/** Everything measured in the inputs, before the mix is drawn. */
interface Measured {
  readonly paths: string[];
  /** First sample of each input, and the end. */
  readonly firsts: number[];
  readonly pathOf: number[];
  readonly tokens: number[];
  readonly patches: number[];
  readonly starts: number[];
  readonly sizes: number[];
  readonly coins: number[];
}

/**
 * Packs a mix of sample folders. Does nothing when `output` is finished with the same settings and
 * inputs. Samples longer than a pack are left out and listed in `ledger.jsonl`, never cut.
 *
 * @returns the manifest: counts of packs, samples and tokens; fill, lower bound and gap.
 * @throws OneVisionError 'data' for inputs that are empty or unreadable beyond `maxSkipRate`.
 */
export async function pack(options: PackOptions): Promise<Manifest> {
  const { inputs, output, config, log } = options;
  const sources = inputs.map((input) => ({ ...input, hash: readManifest(input.dir).configHash }));
  const tokenizer = tokenizerHash(options.tokenizer);
  const hash = hashConfig('pack', config, sources, tokenizer, options.processor);
  if (isComplete(output, hash)) return readManifest(output);
  ensureFolder(output);
  sweepTemporary(output);
  removeJournals(output, (name) => !name.includes(hash));
  const skips = createSkipCounter({ maxRate: config.maxSkipRate });
  const measured = await measure(options, hash, skips);
  skips.check();
  const available = measured.firsts.slice(1).map((end, i) => end - (measured.firsts[i] ?? 0));
  const draws = drawMix(measured, drawCounts(inputs, available, config.samples));
  const lengths: Lengths = {
    tokens: draws.samples.map((sample) => measured.tokens[sample] ?? 0),
    patches: draws.samples.map((sample) => measured.patches[sample] ?? 0),
  };
  const limits = {
    tokens: config.maxTokens,
    patches: config.maxPatches,
    segments: config.maxSegments,
  };
  const plan = planPacks(lengths, limits, { seed: config.seed });
  if (plan.numPacks === 0) {
    throw new OneVisionError(
      'data',
      `expected samples to pack in ${inputs.length} inputs, came none`,
      {
        hint: `see ${join(output, LEDGER)} for why each was left out`,
      },
    );
  }
  const locate = locator(measured, draws);
  const files = await write(options, hash, plan, locate);
  await writeLedger(join(output, LEDGER), overlongRows(plan, locate, hash));
  const manifest = describe(options, hash, plan, lengths, files, skips.numSkipped);
  await writeManifest(output, manifest);
  removeJournals(output, () => true);
  log.info(
    `packed ${lengths.tokens.length - plan.overlong.length} samples into ${plan.numPacks} packs: ` +
      `fill ${(100 * plan.fill).toFixed(2)} %, ${(100 * plan.gap).toFixed(2)} % above the lower ` +
      `bound of ${plan.lowerBound}, ${plan.overlong.length} too long`,
  );
  return manifest;
}

/** Journals of other settings would vouch for shards that have been overwritten since. */
function removeJournals(dir: string, which: (name: string) => boolean): void {
  const journals = readdirSync(dir).filter((name) => /^\.(lengths|shards)-.*\.jsonl$/.test(name));
  for (const name of journals.filter(which)) rmSync(join(dir, name));
}

async function measure(
  options: PackOptions,
  hash: string,
  skips: ReturnType<typeof createSkipCounter>,
): Promise<Measured> {
  const context: LengthContext = {
    tokenizer: loadTokenizer(options.tokenizer),
    processor: options.processor,
    seed: options.config.seed,
  };
  const measured: Measured = {
    paths: [],
    firsts: [0],
    pathOf: [],
    tokens: [],
    patches: [],
    starts: [],
    sizes: [],
    coins: [],
  };
  using journal = openJournal(join(options.output, `.lengths-${hash}.jsonl`));
  using progress = createProgress({ label: 'measure', unit: 'samples' });
  for (const input of options.inputs) {
    for await (const { path, lengths } of measureFolder(input.dir, context, journal, skips)) {
      measured.paths.push(path);
      for (const [i, tokens] of lengths.tokens.entries()) {
        measured.pathOf.push(measured.paths.length - 1);
        measured.tokens.push(tokens);
        measured.patches.push(lengths.patches[i] ?? 0);
        measured.starts.push(lengths.starts[i] ?? 0);
        measured.sizes.push(lengths.sizes[i] ?? 0);
        measured.coins.push(lengths.coins[i] ?? 0);
      }
      progress.update(measured.tokens.length);
    }
    measured.firsts.push(measured.tokens.length);
  }
  return measured;
}

/** Every draw of a sample into the set: which sample, and how often it was drawn before. */
interface Draws {
  readonly samples: Uint32Array;
  readonly copies: Uint16Array;
}

function drawMix(measured: Measured, counts: readonly number[]): Draws {
  const total = counts.reduce((sum, count) => sum + count, 0);
  const samples = new Uint32Array(total);
  const copies = new Uint16Array(total);
  let draw = 0;
  counts.forEach((count, input) => {
    const first = measured.firsts[input] ?? 0;
    const coins = measured.coins.slice(first, measured.firsts[input + 1]);
    drawCopies(coins, count).forEach((times, index) => {
      for (let copy = 0; copy < times; copy += 1, draw += 1) {
        samples[draw] = first + index;
        copies[draw] = copy;
      }
    });
  });
  return { samples, copies };
}

/** Where the sample of a draw lies. */
function locator(measured: Measured, draws: Draws): (draw: number) => SampleLocation {
  return (draw) => {
    const sample = draws.samples[draw] ?? 0;
    return {
      path: measured.paths[measured.pathOf[sample] ?? 0] ?? '',
      start: measured.starts[sample] ?? 0,
      size: measured.sizes[sample] ?? 0,
      tokens: measured.tokens[sample] ?? 0,
      patches: measured.patches[sample] ?? 0,
      copy: draws.copies[draw] ?? 0,
    };
  };
}

async function write(
  options: PackOptions,
  hash: string,
  plan: PackPlan,
  locate: (draw: number) => SampleLocation,
): Promise<Manifest['files']> {
  const { starts, members } = plan;
  using journal = openJournal(join(options.output, `.shards-${hash}.jsonl`));
  using progress = createProgress({ label: 'pack', unit: 'packs', total: plan.numPacks });
  return await writePacks({
    dir: options.output,
    numPacks: plan.numPacks,
    locate: (index) => Array.from(members.subarray(starts[index], starts[index + 1]), locate),
    maxShardBytes: options.config.maxShardBytes,
    journal,
    onPack: (index) => {
      progress.update(index + 1);
      options.onPack?.(index);
    },
  });
}

/** A ledger row for every sample that no pack holds, under its uid. */
function* overlongRows(
  plan: PackPlan,
  locate: (draw: number) => SampleLocation,
  configHash: string,
): Generator<LedgerRow> {
  using files = new FilePool();
  for (const { sample: draw, reason } of plan.overlong) {
    const location = locate(draw);
    yield {
      uid: fetchSample(location, files).uid,
      stage: 'pack',
      verdict: 'drop',
      reason: `more ${reason} than a pack holds`,
      score: location[reason],
      configHash,
    };
  }
}

function describe(
  options: PackOptions,
  configHash: string,
  plan: PackPlan,
  lengths: Lengths,
  files: Manifest['files'],
  numSkipped: number,
): Manifest {
  const { config, processor } = options;
  const sum = (values: Uint32Array): number =>
    plan.members.reduce((total, draw) => total + (values[draw] ?? 0), 0);
  return {
    format: 'onevision/1',
    kind: 'packs',
    stage: 'pack',
    configHash,
    counts: {
      packs: plan.numPacks,
      samples: lengths.tokens.length - plan.overlong.length,
      tokens: sum(lengths.tokens),
      patches: sum(lengths.patches),
      overlong: plan.overlong.length,
      skipped: numSkipped,
    },
    files,
    stats: {
      fill: plan.fill,
      lowerBound: plan.lowerBound,
      gap: plan.gap,
      maxTokens: config.maxTokens,
      maxPatches: config.maxPatches,
      tokenizer: tokenizerHash(options.tokenizer),
      processor: { ...processor },
    },
  };
}
