// From the rows of a shard to its entries: every row a sample or a named loss, every uid once.
import type { Sample } from '../../sample.ts';
import type { ByteRange, SourceEntry } from '../source.ts';
import { field, idText } from './fields.ts';
import { placeUid, type RawRecord, type RecordContext, toSample } from './record.ts';

/** A row as its format read it, or why it could not be read. */
export interface Row {
  /** Its place in the shard: a number, a line, a name. */
  readonly place: string;
  readonly record?: RawRecord;
  /** Where the format has samples of ours: one that is whole. */
  readonly sample?: Sample;
  /** Why there is neither. */
  readonly reason?: string;
  readonly numLost?: number;
  readonly range?: ByteRange;
}

/**
 * The entries of a shard. When the rows end in an error the rest of the shard is lost: `expected`
 * tells how many samples that are, where it is known.
 */
export async function* entriesOf(
  rows: AsyncIterable<Row>,
  context: RecordContext,
  expected?: number,
): AsyncGenerator<SourceEntry, void, undefined> {
  const unique = createUniqueUids();
  let numSeen = 0;
  let damage: string | undefined;
  try {
    for await (const row of rows) {
      numSeen += row.numLost ?? 1;
      yield await entryOf(row, context, unique);
    }
  } catch (error) {
    damage = reasonOf(error);
  }
  const numMissing = Math.max(damage === undefined ? 0 : 1, (expected ?? 0) - numSeen);
  if (numMissing === 0) return;
  const reason = damage ?? 'fewer records than the file says';
  yield { lost: { uid: placeUid(context, 'rest'), reason, numSamples: numMissing } };
}

async function entryOf(
  { place, record, sample: ours, reason, numLost, range }: Row,
  context: RecordContext,
  unique: (uid: string) => string,
): Promise<SourceEntry> {
  if (ours !== undefined) return { sample: ours, range };
  const lostAs = placeUid(context, place);
  if (record === undefined) {
    const what = reason ?? 'it cannot be read';
    return { lost: { uid: unique(lostAs), reason: what, numSamples: numLost ?? 1 } };
  }
  const key = record.key ?? idText(field(record.fields, 'id'));
  try {
    const sample = await toSample({ ...record, key: key ?? place }, context);
    const uid = unique(sample.uid);
    return { sample: uid === sample.uid ? sample : { ...sample, uid }, range };
  } catch (error) {
    return { lost: { uid: unique(lostAs), reason: reasonOf(error), numSamples: 1 } };
  }
}

/** The second `a` of a shard becomes `a~2`. */
function createUniqueUids(): (uid: string) => string {
  const seen = new Map<string, number>();
  return (uid) => {
    const times = (seen.get(uid) ?? 0) + 1;
    seen.set(uid, times);
    return times === 1 ? uid : `${uid}~${times}`;
  };
}

/** The reason for a ledger. */
export function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
