// How long every sample of a folder is: tokens by the real tokenizer and template, patches from
// image headers alone. Finds also where each sample lies, so that packing can fetch it by range.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { OneVisionError } from '../core/errors.ts';
import { coin, sha256Hex } from '../core/hash.ts';
import type { Journal } from '../core/journal.ts';
import { mapConcurrent } from '../core/pool.ts';
import type { ProcessorConfig } from '../image/config.ts';
import { readImageSize } from '../image/decode.ts';
import { countImageTokens } from '../image/smart-resize.ts';
import type { Sample } from '../sample/sample.ts';
import { parseSampleJson } from '../sample/sample-json.ts';
import type { SkipCounter } from '../sample/skips.ts';
import { readTar, TAR_BLOCK } from '../sample/tar.ts';
import { listShards } from '../sample/webdataset.ts';
import { encodeChat } from '../text/chat-template.ts';
import type { Tokenizer } from '../text/tokenizer.ts';

export interface LengthContext {
  readonly tokenizer: Tokenizer;
  readonly processor: ProcessorConfig;
  readonly seed: number;
}

/** One shard measured: parallel columns, one entry a sample. */
export interface ShardLengths {
  readonly tokens: readonly number[];
  readonly patches: readonly number[];
  /** Byte range of the sample's members in the shard. */
  readonly starts: readonly number[];
  readonly sizes: readonly number[];
  /** Seeded hash of the uid in [0, 1); decides who is drawn into a mix. */
  readonly coins: readonly number[];
  readonly skipped: readonly Skip[];
}

interface Skip {
  readonly where: string;
  readonly reason: string;
  readonly numSamples: number;
}

/** Names a tokenizer by the content of its files: packs counted with one train with no other. */
export function tokenizerHash(dir: string): string {
  const files = ['tokenizer.json', 'tokenizer_config.json'];
  return sha256Hex(files.map((name) => sha256Hex(readFileSync(join(dir, name)))).join(' '));
}

/** Images read at once; their headers are parsed by libvips in other threads. */
const CONCURRENCY = 16;

/**
 * Tokens and patches of one sample: the one count that packer, loader, trainer and server share.
 * @throws OneVisionError 'data' when an image has no readable header or `<image>` does not match.
 */
export async function measureSample(
  sample: Pick<Sample, 'messages' | 'images'>,
  context: Pick<LengthContext, 'tokenizer' | 'processor'>,
): Promise<{ tokens: number; patches: number }> {
  const counts = [];
  for (const image of sample.images) {
    const { height, width } = await readImageSize(image.bytes);
    counts.push(countImageTokens(height, width, context.processor));
  }
  const { ids } = encodeChat(
    context.tokenizer,
    sample.messages,
    counts.map((count) => count.tokens),
  );
  return {
    tokens: ids.length,
    patches: counts.reduce((sum, count) => sum + count.patches, 0),
  };
}

/**
 * Measures every shard of a folder, yielding them in order. Shards in the journal are not read
 * again. What cannot be read is counted in `skips`, which throws once there is too much of it.
 */
export async function* measureFolder(
  dir: string,
  context: LengthContext,
  journal: Journal,
  skips: SkipCounter,
): AsyncGenerator<{ path: string; lengths: ShardLengths }, void, undefined> {
  const shards = listShards(dir);
  if (shards.length === 0) {
    throw new OneVisionError('data', `expected shards (*.tar) to pack in ${dir}, came none`, {
      hint: 'run the stage that fills this folder, or check the path',
    });
  }
  for (const shard of shards) {
    const path = join(dir, shard.name);
    const known = journal.get(path) as ShardLengths | undefined;
    const lengths = known ?? (await measureShard(path, shard.count, context));
    if (known === undefined) journal.done(path, lengths);
    skips.good(lengths.tokens.length);
    for (const { where, reason, numSamples } of lengths.skipped) {
      skips.skip(where, reason, numSamples);
    }
    yield { path, lengths };
  }
}

async function measureShard(
  path: string,
  expected: number | undefined,
  context: LengthContext,
): Promise<ShardLengths> {
  const tokens: number[] = [];
  const patches: number[] = [];
  const starts: number[] = [];
  const sizes: number[] = [];
  const coins: number[] = [];
  const skipped: Skip[] = [];
  let damage: string | undefined;
  const records = scanShard(path, (reason) => {
    damage = reason;
  });
  for await (const { record, sample } of mapConcurrent(records, CONCURRENCY, async (record) => ({
    record,
    sample: await measureRecord(record, context),
  }))) {
    if (typeof sample === 'string') {
      skipped.push({ where: `${path}:${record.key}`, reason: sample, numSamples: 1 });
      continue;
    }
    tokens.push(sample.tokens);
    patches.push(sample.patches);
    starts.push(record.start);
    sizes.push(record.end - record.start);
    coins.push(coin('mix', context.seed, sample.uid));
  }
  if (damage !== undefined) {
    const numSamples = Math.max(1, (expected ?? 0) - tokens.length - skipped.length);
    skipped.push({ where: path, reason: damage, numSamples });
  }
  return { tokens, patches, starts, sizes, coins, skipped };
}

/** The lengths of one record, or why it has none. */
async function measureRecord(
  record: ScannedRecord,
  context: LengthContext,
): Promise<{ uid: string; tokens: number; patches: number } | string> {
  const json = record.parts.get('json');
  if (json === undefined) return 'it has no JSON member';
  try {
    const { uid, messages, images } = parseSampleJson(json);
    const missing = images.find((name) => !record.parts.has(name));
    if (missing !== undefined) return `image ${missing} is missing`;
    const named = images.map((name) => ({
      name,
      bytes: record.parts.get(name) ?? new Uint8Array(),
    }));
    return { uid, ...(await measureSample({ messages, images: named }, context)) };
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

interface ScannedRecord {
  readonly key: string;
  readonly start: number;
  end: number;
  readonly parts: Map<string, Buffer>;
}

/** Neighbouring members of one key with their byte range, up to where the archive is damaged. */
async function* scanShard(
  path: string,
  onDamage: (reason: string) => void,
): AsyncGenerator<ScannedRecord, void, undefined> {
  let record: ScannedRecord | undefined;
  try {
    for await (const member of readTar(path)) {
      const dot = member.name.indexOf('.', member.name.lastIndexOf('/') + 1);
      if (dot < 0) continue;
      const key = member.name.slice(0, dot);
      if (record !== undefined && record.key !== key) {
        yield record;
        record = undefined;
      }
      record ??= { key, start: member.headerOffset, end: 0, parts: new Map() };
      record.parts.set(member.name.slice(dot + 1), member.bytes);
      record.end = member.dataOffset + Math.ceil(member.bytes.length / TAR_BLOCK) * TAR_BLOCK;
    }
  } catch (error) {
    if (!(error instanceof OneVisionError)) throw error;
    onDamage(error.message);
    // The JSON is the last member, so with it the last record is whole.
    if (record?.parts.has('json') !== true) record = undefined;
  }
  if (record !== undefined) yield record;
}
