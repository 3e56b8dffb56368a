// From the rows of a shard to its entries: every row a sample or a named loss, every uid once.
import type { Sample } from '../../sample.ts';
import type { RecordPlace, SourceEntry } from '../source.ts';
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
  readonly at: RecordPlace;
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
  const timesSeen = createUidCounter();
  let numSeen = 0;
  let damage: string | undefined;
  try {
    for await (const row of rows) {
      numSeen += row.numLost ?? 1;
      yield await entryOf(row, context, timesSeen);
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
  row: Row,
  context: RecordContext,
  timesSeen: (uid: string) => number,
): Promise<SourceEntry> {
  const { place, sample: ours, numLost, at } = row;
  if (ours !== undefined) return { sample: ours, at, repeat: 1 };
  try {
    const sample = await sampleOf(row, context);
    const repeat = timesSeen(sample.uid);
    return { sample: withRepeat(sample, repeat), at, repeat };
  } catch (error) {
    const lostAs = placeUid(context, place);
    const uid = repeatedUid(lostAs, timesSeen(lostAs));
    return { lost: { uid, reason: reasonOf(error), numSamples: numLost ?? 1 } };
  }
}

/** The samples of rows that were read before. @throws Error where one is none any more. */
export async function* samplesAgain(
  rows: AsyncIterable<Row>,
  context: RecordContext,
): AsyncGenerator<Sample, void, undefined> {
  for await (const row of rows) yield await sampleOf(row, context);
}

async function sampleOf({ place, record, reason }: Row, context: RecordContext): Promise<Sample> {
  if (record === undefined) throw new Error(reason ?? 'it cannot be read');
  const key = record.key ?? idText(field(record.fields, 'id'));
  return await toSample({ ...record, key: key ?? place }, context);
}

function createUidCounter(): (uid: string) => number {
  const seen = new Map<string, number>();
  return (uid) => {
    const times = (seen.get(uid) ?? 0) + 1;
    seen.set(uid, times);
    return times;
  };
}

/** The sample with the uid that it has as the n-th of its name: the second `a` is `a~2`. */
export function withRepeat<T extends Pick<Sample, 'uid'>>(sample: T, repeat: number): T {
  return repeat === 1 ? sample : { ...sample, uid: repeatedUid(sample.uid, repeat) };
}

function repeatedUid(uid: string, repeat: number): string {
  return repeat === 1 ? uid : `${uid}~${repeat}`;
}

/** The reason for a ledger. */
export function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
