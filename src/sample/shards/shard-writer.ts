// Writes samples as WebDataset shards: `{key}.img0.png`, `{key}.json`, next `{key}`, …
// A shard gets its name only when it is whole. The same samples give the same bytes.
import { join } from 'node:path';
import { BlockFile } from '../../core/block-file.ts';
import { OneVisionError } from '../../core/errors.ts';
import { ensureFolder } from '../../core/files.ts';
import { sha256Hex } from '../../core/hash.ts';
import type { Sample } from '../sample.ts';
import { encodeSampleJson } from '../sample-json.ts';
import { encodeTarMember, TAR_END } from '../tar.ts';

/** One finished shard. */
export interface ShardFile {
  readonly name: string;
  readonly bytes: number;
  readonly sha256: string;
  /** Samples in it. */
  readonly count: number;
}

export interface ShardWriterOptions {
  /** Shards are named `{prefix}-{000000}.tar`; default `shard`. */
  readonly prefix?: string;
  /** Begin a new shard before this size is passed; default 256 MiB. */
  readonly maxBytes?: number;
  readonly maxSamples?: number;
  /** Number of the first shard; default 0. */
  readonly firstShard?: number;
}

export interface ShardWriter {
  /** Add a sample. Samples come out in the order in which they went in. */
  write(sample: Sample): Promise<void>;
  /** Finish the last shard. @returns all shards, in order. */
  close(): Promise<ShardFile[]>;
  /** Throw the unfinished shard away; finished ones stay. */
  abort(): Promise<void>;
}

interface OpenShard {
  readonly name: string;
  readonly file: BlockFile;
  readonly keys: Set<string>;
}

const MAX_KEY = 72;

/** The shard key of a sample: its uid where that is a plain name, else a plain name with a hash. */
export function shardKey(uid: string): string {
  if (/^[A-Za-z0-9_-]+$/.test(uid) && uid.length <= MAX_KEY) return uid;
  const plain = uid.replaceAll(/[^A-Za-z0-9_-]/g, '_').slice(0, MAX_KEY - 9);
  return `${plain}-${sha256Hex(uid).slice(0, 8)}`;
}

/** The file name of a shard. */
export function shardName(prefix: string, index: number): string {
  return `${prefix}-${String(index).padStart(6, '0')}.tar`;
}

/**
 * Open a writer of shards in `dir`, which is created.
 *
 * @throws OneVisionError 'data' when two samples of a shard have one uid, 'disk' when the disk
 * refuses; the shard under way is then thrown away.
 */
export function createShardWriter(dir: string, options: ShardWriterOptions = {}): ShardWriter {
  const { prefix = 'shard', maxBytes = 256 * 1024 * 1024, maxSamples = Infinity } = options;
  const finished: ShardFile[] = [];
  let current: OpenShard | undefined;
  ensureFolder(dir);

  const finish = async (): Promise<void> => {
    if (current === undefined) return;
    const { name, file, keys } = current;
    await file.append(TAR_END);
    const whole = await file.commit();
    current = undefined;
    finished.push({ name, ...whole, count: keys.size });
  };
  const abort = async (): Promise<void> => {
    await current?.file.abort();
    current = undefined;
  };

  return {
    async write(sample) {
      const key = shardKey(sample.uid);
      const members = encodeSample(key, sample);
      const size = members.reduce((sum, member) => sum + member.length, 0);
      if (current !== undefined) {
        const isFull = current.file.bytes + size + TAR_END.length > maxBytes;
        if (isFull || current.keys.size >= maxSamples) await finish();
      }
      current ??= await openShard(
        dir,
        shardName(prefix, (options.firstShard ?? 0) + finished.length),
      );
      if (current.keys.has(key)) {
        const where = join(dir, current.name);
        await abort();
        throw new OneVisionError(
          'data',
          `Expected uids to be unique; ${where} got ${sample.uid} twice.`,
        );
      }
      current.keys.add(key);
      for (const member of members) await current.file.append(member);
    },
    async close() {
      await finish();
      return finished;
    },
    abort,
  };
}

function encodeSample(key: string, sample: Sample): Buffer[] {
  const members = sample.images.map(({ name, bytes }) => encodeTarMember(`${key}.${name}`, bytes));
  members.push(encodeTarMember(`${key}.json`, encodeSampleJson(sample)));
  return members;
}

async function openShard(dir: string, name: string): Promise<OpenShard> {
  return { name, file: await BlockFile.create(join(dir, name)), keys: new Set() };
}
