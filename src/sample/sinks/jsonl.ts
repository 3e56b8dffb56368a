// Sink: a line of JSON a sample, its images in a tar beside it, each named by file, offset and size: a
// reader fetches one by its byte range. Never one file a sample.
import { join } from 'node:path';
import { BlockFile } from '../../core/block-file.ts';
import { ensureFolder } from '../../core/files.ts';
import type { Sample } from '../sample.ts';
import { encodeTarMember, TAR_BLOCK, TAR_END } from '../tar.ts';
import {
  type ShardFile,
  type ShardWriter,
  type ShardWriterOptions,
  shardKey,
} from '../webdataset.ts';

const MAX_BYTES = 256 * 1024 * 1024;

/** A file under way. */
interface Part {
  readonly name: string;
  readonly file: BlockFile;
}

interface OpenPair {
  readonly lines: Part;
  readonly images: Part;
  numImages: number;
  count: number;
}

export function createJsonlWriter(dir: string, options: ShardWriterOptions = {}): ShardWriter {
  const { prefix = 'shard', maxBytes = MAX_BYTES, maxSamples = Infinity, firstShard = 0 } = options;
  const finished: ShardFile[] = [];
  let numShards = firstShard;
  let current: OpenPair | undefined;
  ensureFolder(dir);
  const begin = async (): Promise<OpenPair> => {
    const stem = `${prefix}-${String(numShards++).padStart(6, '0')}`;
    const lines = await openPart(dir, `${stem}.jsonl`);
    const images = await openPart(dir, `${stem}.images.tar`);
    return { lines, images, numImages: 0, count: 0 };
  };
  const abort = async (): Promise<void> => {
    await current?.lines.file.abort();
    await current?.images.file.abort();
    current = undefined;
  };
  const finish = async (): Promise<void> => {
    if (current === undefined) return;
    const { lines, images, numImages, count } = current;
    if (numImages > 0) {
      await images.file.append(TAR_END);
      finished.push(await commit(images, 0)); // before the lines that point to it
    } else await images.file.abort();
    finished.push(await commit(lines, count));
    current = undefined;
  };
  return {
    write: async (sample) => {
      if (current !== undefined) {
        const isFull = current.images.file.bytes + current.lines.file.bytes > maxBytes;
        if (isFull || current.count >= maxSamples) await finish();
      }
      current ??= await begin();
      await writeSample(current, sample);
    },
    close: async () => {
      await finish();
      return finished;
    },
    abort,
  };
}

async function writeSample(pair: OpenPair, sample: Sample): Promise<void> {
  const { uid, source, group, split, messages, meta } = sample;
  const images: object[] = [];
  for (const { name, bytes } of sample.images) {
    const offset = pair.images.file.bytes + TAR_BLOCK;
    await pair.images.file.append(encodeTarMember(`${shardKey(uid)}.${name}`, bytes));
    images.push({ file: pair.images.name, offset, size: bytes.byteLength, name });
    pair.numImages += 1;
  }
  const row = { uid, source, group, split, messages, images, meta };
  await pair.lines.file.append(Buffer.from(`${JSON.stringify(row)}\n`));
  pair.count += 1;
}

async function openPart(dir: string, name: string): Promise<Part> {
  return { name, file: await BlockFile.create(join(dir, name)) };
}

async function commit({ name, file }: Part, count: number): Promise<ShardFile> {
  return { name, ...(await file.commit()), count };
}
