// Reads curated samples and keeps the pictures of single things, by pool. No questions here.
import { createRandom } from '../core/hash.ts';
import { mapConcurrent } from '../core/pool.ts';
import { decodeImage } from '../image/decode.ts';
import type { Sample } from '../sample/sample.ts';
import { readSamples } from '../sample/webdataset.ts';
import type { Pool } from './config.ts';
import { cutOut } from './draw/canvas.ts';
import type { Subject } from './task.ts';

/** Side of the cut-out that is kept of each picture; canvases show at most this size. */
const SPRITE_SIDE = 48;

export type SubjectPools = Readonly<Record<Pool, readonly Subject[]>>;

/**
 * Reads samples of one labelled picture each (`meta.label`) from curated folders. Others are left
 * out. Which pool a sample belongs to follows from its split and from `meta.heldOutStyle`:
 * the two never mix, and a picture of the unseen-style pool shows a group that training knows.
 *
 * @param maxPictures largest pool; a larger one is thinned by a seeded draw
 */
export async function loadSubjects(
  folders: readonly string[],
  { maxPictures, seed }: { maxPictures: number; seed: number },
): Promise<SubjectPools> {
  const pools: Record<Pool, Subject[]> = {
    train: [],
    'unseen-style': [],
    'unseen-concepts': [],
    'unseen-both': [],
  };
  for (const folder of folders) {
    for await (const [pool, subject] of mapConcurrent(labelled(folder), 8, toSubject)) {
      pools[pool].push(subject);
    }
  }
  const known = new Set(pools.train.map((subject) => subject.group));
  pools['unseen-style'] = pools['unseen-style'].filter((subject) => known.has(subject.group));
  for (const pool of Object.keys(pools) as Pool[]) {
    pools[pool] = thin(pools[pool], maxPictures, seed);
  }
  return pools;
}

async function* labelled(folder: string): AsyncGenerator<Sample> {
  for await (const sample of readSamples(folder)) {
    if (typeof sample.meta['label'] === 'string' && sample.images.length === 1) yield sample;
  }
}

/** The pool of a sample: unseen group or not, held-out style or not. */
export function poolOf(sample: Pick<Sample, 'split' | 'meta'>): Pool {
  const newStyle = sample.meta['heldOutStyle'] === true;
  if (sample.split === 'train') return newStyle ? 'unseen-style' : 'train';
  return newStyle ? 'unseen-both' : 'unseen-concepts';
}

async function toSubject(sample: Sample): Promise<[Pool, Subject]> {
  const [picture] = sample.images;
  if (picture === undefined) throw new RangeError(`expected a picture in ${sample.uid}`);
  const label = String(sample.meta['label']);
  const kind = sample.meta['emojiSubgroup'];
  return [
    poolOf(sample),
    {
      uid: sample.uid,
      group: sample.group,
      label,
      tags: textsOf(sample.meta['tags']).filter((tag) => tag !== label),
      kind: typeof kind === 'string' ? kind.replaceAll('-', ' ') : undefined,
      concepts: textsOf(sample.meta['concepts']),
      noFlip: isOneSided(sample, label),
      picture,
      sprite: cutOut(await decodeImage(picture.bytes), SPRITE_SIDE),
    },
  ];
}

const ONE_SIDED_LABEL =
  /left|right|arrow|clock|button|keycap|input|sign|mark|letter|symbol|speaker|turn|rotate/;

/** Mirroring would make it another thing: by its group, its label, or a flag of its source. */
function isOneSided({ meta }: Sample, label: string): boolean {
  const group = String(meta['emojiGroup'] ?? '');
  return meta['noFlip'] === true || /flags|symbols/i.test(group) || ONE_SIDED_LABEL.test(label);
}

function textsOf(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((text) => typeof text === 'string') : [];
}

function thin(subjects: readonly Subject[], most: number, seed: number): Subject[] {
  const sorted = subjects.toSorted((a, b) => (a.uid < b.uid ? -1 : a.uid > b.uid ? 1 : 0));
  if (sorted.length <= most) return sorted;
  return createRandom('thin', seed).shuffle(sorted).slice(0, most);
}
