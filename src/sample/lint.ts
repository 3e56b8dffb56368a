// Looks at every record of a source as training would: does it read, do its images decode, is its
// uid unique. One ledger row a record; bounded pixels, one image at a time.
import { sha256Hex } from '../core/hash.ts';
import { decodeImage } from '../image/decode.ts';
import type { LedgerRow } from './ledger.ts';
import type { Sample } from './sample.ts';
import { eachLost, type Source, type SourceEntry, type SourceShard } from './sources/source.ts';

const STAGE = 'lint';
/** 150 MB of RGB: far more than any model looks at. */
export const LINT_MAX_PIXELS: number = 50_000_000;

/** The rows of a shard, in the order of its records. */
export async function* lintShard(
  source: Source,
  shard: SourceShard,
): AsyncGenerator<LedgerRow, void, undefined> {
  const configHash = source.hash;
  for await (const entry of source.read(shard)) {
    for (const row of await lintEntry(entry)) yield { ...row, stage: STAGE, configHash };
  }
}

type Row = Pick<LedgerRow, 'uid' | 'verdict' | 'reason'>;

async function lintEntry({ sample, lost }: SourceEntry): Promise<Row[]> {
  if (sample !== undefined) {
    const reason = await fault(sample);
    const { uid } = sample;
    return [{ uid, verdict: reason === undefined ? 'keep' : 'error', reason: reason ?? 'sound' }];
  }
  return eachLost(lost).map((row) => ({ ...row, verdict: 'error' }));
}

async function fault({ images, messages }: Sample): Promise<string | undefined> {
  const numMarks = messages.reduce(
    (sum, { content }) => sum + content.split('<image>').length - 1,
    0,
  );
  if (numMarks !== images.length) return `${numMarks} <image> marks for ${images.length} images`;
  for (const { bytes } of images) {
    try {
      await decodeImage(bytes, { maxPixels: LINT_MAX_PIXELS });
    } catch (error) {
      return error instanceof Error ? error.message : String(error);
    }
  }
  return undefined;
}

/** Notices uids that come twice, over all shards, in 8 bytes each. */
export function createUidCheck(): (uid: string) => boolean {
  const seen = new Set<number>();
  return (uid) => {
    const name = Number.parseInt(sha256Hex(uid).slice(0, 13), 16);
    const isNew = !seen.has(name);
    seen.add(name);
    return isNew;
  };
}
