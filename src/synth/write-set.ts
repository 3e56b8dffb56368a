// Writes one set shard by shard. A shard that the journal knows is not made again.
import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import * as z from 'zod';
import { ensureFolder, sweepTemporary } from '../core/files.ts';
import { openJournal } from '../core/journal.ts';
import { createProgress } from '../core/progress.ts';
import { encodePng } from '../image/png.ts';
import { writeManifest } from '../sample/manifest.ts';
import type { JsonValue, SampleImage, Split } from '../sample/sample.ts';
import { createShardWriter, type ShardFile } from '../sample/webdataset.ts';
import type { Generator } from './generator.ts';
import type { Draft } from './task.ts';

const JOURNAL = 'progress.jsonl';

const shardSchema = z.strictObject({
  name: z.string(),
  bytes: z.number(),
  sha256: z.string(),
  count: z.number(),
});

export interface SetPlan {
  /** Source of its samples. */
  readonly source: string;
  /** What their uids begin with, and the name that progress shows: `heldout/numbers`. */
  readonly path: string;
  readonly split: Split;
  /** What the manifest says about it. */
  readonly stats: Readonly<Record<string, JsonValue>>;
  readonly folder: string;
  readonly hash: string;
  readonly samplesPerShard: number;
}

/**
 * Makes the shards of a set that are missing, then its manifest. Killed at any point and run
 * again, it makes at most one shard twice and ends with the same bytes.
 */
export async function writeSet(generator: Generator, plan: SetPlan): Promise<void> {
  const { path, folder, hash, samplesPerShard, stats } = plan;
  ensureFolder(folder);
  sweepTemporary(folder);
  const journalPath = join(folder, JOURNAL);
  const files: ShardFile[] = [];
  {
    using journal = openJournal(journalPath);
    using progress = createProgress({
      label: `synth ${path}`,
      total: generator.count,
      unit: 'samples',
    });
    for (let shard = 0; shard * samplesPerShard < generator.count; shard++) {
      const from = shard * samplesPerShard;
      const to = Math.min(generator.count, from + samplesPerShard);
      const key = `${hash}:${shard}`;
      const made = shardSchema.safeParse(journal.get(key));
      if (!made.success) journal.done(key, await writeShard(generator, plan, shard, [from, to]));
      files.push(shardSchema.parse(journal.get(key)));
      progress.update(to);
    }
  }
  dropStale(folder, files);
  await writeManifest(folder, {
    format: 'onevision/1',
    kind: 'samples',
    stage: 'synth',
    configHash: hash,
    counts: { samples: generator.count },
    files,
    stats,
  });
  rmSync(journalPath, { force: true });
}

async function writeShard(
  generator: Generator,
  { source, path, split, folder }: SetPlan,
  shard: number,
  [from, to]: readonly [number, number],
): Promise<ShardFile> {
  const writer = createShardWriter(folder, {
    prefix: split,
    firstShard: shard,
    maxBytes: Number.POSITIVE_INFINITY,
  });
  try {
    for (let index = from; index < to; index++) {
      const draft = await generator.draft(index);
      await writer.write({
        uid: `${path}/${String(index).padStart(7, '0')}`,
        source,
        group: draft.group,
        split,
        messages: draft.messages,
        images: [toSampleImage(draft)],
        meta: draft.meta,
      });
    }
    const [file] = await writer.close();
    return shardSchema.parse(file);
  } catch (error) {
    await writer.abort();
    throw error;
  }
}

function toSampleImage({ image }: Draft): SampleImage {
  return 'data' in image ? { name: 'img0.png', bytes: encodePng(image) } : image;
}

/** Removes shards that an earlier configuration left behind. */
function dropStale(folder: string, files: readonly ShardFile[]): void {
  const current = new Set(files.map((file) => file.name));
  for (const name of readdirSync(folder)) {
    if (/^(train|val|test)-\d+\.tar$/.test(name) && !current.has(name)) rmSync(join(folder, name));
  }
}
