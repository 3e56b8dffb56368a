// Mixes instruction data: counts what there is, allots, takes whole conversations, writes shards,
// ledger and data card. Two passes over the inputs; 8 bytes in memory for each sample.
import { join } from 'node:path';
import { ensureFolder, sweepTemporary, writeFileAtomic } from '../../core/files.ts';
import { type Logger, log as processLog } from '../../core/log.ts';
import { LEDGER, type LedgerRow, writeLedger } from '../../sample/ledger.ts';
import {
  hashConfig,
  isComplete,
  type Manifest,
  readManifest,
  writeManifest,
} from '../../sample/manifest.ts';
import { createSkipCounter, type SkipCounter } from '../../sample/skips.ts';
import { openSource } from '../../sample/sources/open.ts';
import { readSource, type Source, type SourceSpec } from '../../sample/sources/source.ts';
import { createShardWriter, type ShardWriter } from '../../sample/webdataset.ts';
import { type Allotment, allot } from './allot.ts';
import { defineMixture, type MixtureConfig, type MixtureInput, sourceResolver } from './config.ts';
import { type DataCard, dataCard, dataCardMarkdown } from './data-card.ts';
import { type CoinBag, createCoinBag } from './draw-sources.ts';
import { addCounts, countsOf, emptyCounts, faultOf, type MixtureCounts } from './figures.ts';

export interface MixOptions {
  /** Folders or files in any format of `sample/sources`. */
  readonly inputs: readonly (string | SourceSpec)[];
  /** Gets `train-*.tar`, ledger, DATACARD.md, datacard.json, manifest. */
  readonly output: string;
  readonly config: MixtureInput;
  readonly log?: Logger;
}

export const STAGE = 'mixture';

interface Mixing {
  readonly inputs: readonly Source[];
  readonly config: MixtureConfig;
  readonly configHash: string;
  readonly skips: SkipCounter;
  readonly bags: ReadonlyMap<string, CoinBag>;
}

/**
 * Mix the samples of several sources. Done already with the same settings and inputs: returns at
 * once.
 *
 * @throws OneVisionError 'data' when a category is too small, or too many samples are broken.
 */
export async function mix(options: MixOptions): Promise<Manifest> {
  const { output, log = processLog } = options;
  const config = defineMixture(options.config);
  const inputs: Source[] = [];
  for (const input of options.inputs) inputs.push(await openSource(input));
  const configHash = hashConfig(
    'mixture/1',
    config,
    inputs.map(({ hash }) => hash),
  );
  if (isComplete(output, configHash)) return readManifest(output);
  ensureFolder(output);
  sweepTemporary(output);
  const bags = new Map(
    config.categories.flatMap(({ sources }) =>
      sources.map(({ name }) => [name, createCoinBag(config.seed)] as const),
    ),
  );
  const skips = createSkipCounter({ maxRate: config.maxSkipRate });
  const mixing: Mixing = { inputs, config, configHash, skips, bags };
  await count(mixing);
  skips.check();
  const available = new Map([...bags].map(([name, bag]) => [name, bag.size]));
  const allotments = allot(config, available);
  const { card, manifest } = await write(mixing, allotments, output);
  await writeFileAtomic(join(output, 'DATACARD.md'), dataCardMarkdown(card));
  await writeFileAtomic(join(output, 'datacard.json'), `${JSON.stringify(card, null, 2)}\n`);
  await writeManifest(output, manifest);
  log.info(`mixed ${card.total.samples} of ${manifest.counts['input']} samples`);
  return manifest;
}

async function count({ inputs, config, bags, skips }: Mixing): Promise<void> {
  const resolve = sourceResolver(config);
  for (const input of inputs) {
    for await (const { sample, lost } of readSource(input)) {
      if (sample === undefined) {
        for (let i = 0; i < lost.numSamples; i++) skips.skip(lost.uid, lost.reason);
        continue;
      }
      const fault = faultOf(sample);
      if (fault === undefined) skips.good();
      else skips.skip(sample.uid, fault);
      if (fault === undefined) bags.get(resolve(sample.source) ?? '')?.add(sample.uid);
    }
  }
}

async function write(
  mixing: Mixing,
  allotments: readonly Allotment[],
  output: string,
): Promise<{ card: DataCard; manifest: Manifest }> {
  const { config, configHash } = mixing;
  const writer = createShardWriter(output, { prefix: 'train', maxSamples: config.samplesPerShard });
  const counts = new Map<string, MixtureCounts>();
  const leftOut = { noCategory: 0, errors: 0 };
  try {
    const rows = takeSamples(mixing, allotments, writer, counts, leftOut);
    const numRows = await writeLedger(join(output, LEDGER), rows);
    const files = await writer.close();
    const card = dataCard(config, allotments, counts, { configHash, leftOut });
    return {
      card,
      manifest: {
        format: 'onevision/1',
        kind: 'samples',
        stage: STAGE,
        configHash,
        counts: { input: numRows, samples: card.total.samples, images: card.total.images },
        files,
        stats: { categories: JSON.parse(JSON.stringify(card.categories)), seed: config.seed },
      },
    };
  } finally {
    await writer.abort();
  }
}

/** One ledger row for each sample; writes those that are taken. */
async function* takeSamples(
  { inputs, bags, config, configHash }: Mixing,
  allotments: readonly Allotment[],
  writer: ShardWriter,
  counts: Map<string, MixtureCounts>,
  leftOut: { noCategory: number; errors: number },
): AsyncGenerator<LedgerRow, void, undefined> {
  const draws = new Map(
    allotments.map(({ source, taken }) => [source, bags.get(source)?.draw(taken)]),
  );
  const resolve = sourceResolver(config);
  const row = (uid: string, verdict: LedgerRow['verdict'], reason: string): LedgerRow => ({
    uid,
    stage: STAGE,
    verdict,
    reason,
    configHash,
  });
  for (const input of inputs) {
    for await (const { sample, lost } of readSource(input)) {
      if (sample === undefined) {
        leftOut.errors += lost.numSamples;
        for (let i = 0; i < lost.numSamples; i++) {
          yield row(lost.numSamples === 1 ? lost.uid : `${lost.uid}#${i}`, 'error', lost.reason);
        }
        continue;
      }
      const { uid } = sample;
      const source = resolve(sample.source) ?? '';
      const fault = faultOf(sample);
      const draw = draws.get(source);
      if (fault !== undefined) {
        leftOut.errors += 1;
        yield row(uid, 'error', fault);
      } else if (draw === undefined) {
        leftOut.noCategory += 1;
        yield row(uid, 'drop', 'no-category');
      } else if (draw(uid)) {
        await writer.write(sample);
        counts.set(source, addCounts(counts.get(source) ?? emptyCounts(), countsOf(sample)));
        yield row(uid, 'keep', 'taken');
      } else yield row(uid, 'drop', 'not-taken');
    }
  }
}
