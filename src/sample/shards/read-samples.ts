// Reads the samples of a folder of WebDataset shards. What cannot be read is reported and skipped,
// never lost in silence. Does not decode images.
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { OneVisionError } from '../../core/errors.ts';
import { readManifest } from '../manifest.ts';
import type { Sample, SampleImage, Split } from '../sample.ts';
import { parseSampleJson } from '../sample-json.ts';
import { readRecords, type TarRecord } from './records.ts';

export interface ReadSamplesOptions {
  /**
   * Only samples of this side; shards whose name begins with another side are not opened. 'train'
   * never yields a sample of a held-out style (`meta.heldOutStyle`), whatever its group's side is.
   */
  readonly split?: Split;
  /** Called for whatever is skipped. `numSamples` is how many samples are lost by it. */
  onSkip?(where: string, reason: string, numSamples: number): void;
}

/**
 * The samples of `dir`, shard by shard in name order, one in memory at a time.
 *
 * @throws OneVisionError 'data' when the folder has no shard at all; and, without `onSkip`, for the
 * first thing that cannot be read.
 */
export async function* readSamples(
  dir: string,
  options: ReadSamplesOptions = {},
): AsyncGenerator<Sample, void, undefined> {
  const shards = listShards(dir);
  if (shards.length === 0) throw emptyCorpus(dir);
  for (const { name, count } of shards) {
    if (options.split !== undefined && isOtherSplit(name, options.split)) continue;
    for await (const sample of readShard(join(dir, name), count, options)) {
      if (isOnSide(sample, options.split)) yield sample;
    }
  }
}

export interface ShardListing {
  readonly name: string;
  /** Samples it should hold; known when the folder has a manifest. */
  readonly count: number | undefined;
}

/** The shards of a folder: those its manifest names, else all `*.tar`, sorted by name. */
export function listShards(dir: string): ShardListing[] {
  if (existsSync(join(dir, 'manifest.json'))) {
    const files = readManifest(dir).files.filter((file) => file.name.endsWith('.tar'));
    return files.map(({ name, count }) => ({ name, count })).sort(byName);
  }
  if (!existsSync(dir)) return [];
  const names = readdirSync(dir).filter((name) => name.endsWith('.tar') && !name.startsWith('.'));
  return names.map((name) => ({ name, count: undefined })).sort(byName);
}

/** The samples of one shard. `expected` = how many it should hold, where that is known. */
export async function* readShard(
  path: string,
  expected: number | undefined,
  options: ReadSamplesOptions = {},
): AsyncGenerator<Sample, void, undefined> {
  let numSeen = 0;
  const skip = (where: string, reason: string, numSamples: number): void => {
    numSeen += numSamples;
    if (options.onSkip !== undefined) options.onSkip(where, reason, numSamples);
    else throw new OneVisionError('data', `Expected a readable sample at ${where}: ${reason}.`);
  };
  try {
    for await (const record of readRecords(path)) {
      let sample: Sample;
      try {
        sample = sampleOfRecord(record);
      } catch (error) {
        skip(`${path}:${record.key}`, error instanceof Error ? error.message : String(error), 1);
        continue;
      }
      numSeen += 1;
      yield sample;
    }
    const numMissing = (expected ?? numSeen) - numSeen;
    if (numMissing > 0)
      skip(path, `${numMissing} samples fewer than its manifest says`, numMissing);
  } catch (error) {
    if (!(error instanceof OneVisionError) || options.onSkip === undefined) throw error;
    skip(path, error.message, Math.max(1, (expected ?? 0) - numSeen));
  }
}

/**
 * The sample that a record of ours holds.
 * @throws Error whose message is the reason for the skip.
 */
export function sampleOfRecord({ parts, oversize }: TarRecord): Sample {
  if (oversize) throw new Error('the record is too large');
  const json = parts.get('json');
  if (json === undefined) throw new Error('it has no JSON member');
  const record = parseSampleJson(json);
  const images = record.images.map((name): SampleImage => {
    const bytes = parts.get(name);
    if (bytes === undefined) throw new Error(`image ${name} is missing`);
    return { name, bytes };
  });
  return { ...record, images };
}

function isOnSide(sample: Sample, split: Split | undefined): boolean {
  if (split === undefined) return true;
  const isHeldOut = split === 'train' && sample.meta['heldOutStyle'] === true;
  return sample.split === split && !isHeldOut;
}

function isOtherSplit(name: string, split: Split): boolean {
  const named = /^(train|val|test)-\d+\.tar$/.exec(name)?.[1];
  return named !== undefined && named !== split;
}

function byName(a: ShardListing, b: ShardListing): number {
  return a.name < b.name ? -1 : 1;
}

function emptyCorpus(dir: string): OneVisionError {
  return new OneVisionError('data', `Expected shards (*.tar) in ${dir}; there are none.`, {
    hint: 'run the stage that fills this folder, or check the path',
  });
}
