// Which of the samples show the same picture: exactly (same bytes) or nearly (perceptual hash).
// Pure; knows neither files nor filters.
import { hammingDistance, meanDistance, type PerceptualHash } from '../image/perceptual-hash.ts';

export interface Fingerprint {
  readonly uid: string;
  readonly identity: string;
  /** Absent: the sample takes part in exact comparison only. */
  readonly hash?: PerceptualHash | undefined;
}

export interface Duplicate {
  /** uid of the sample that stays. */
  readonly of: string;
  readonly kind: 'exact-duplicate' | 'near-duplicate';
  /** Differing bits; 0 for exact ones. */
  readonly distance: number;
}

export interface DedupLimits {
  readonly maxHamming: number;
  readonly maxColourDifference: number;
}

const NUM_BANDS = 16;

/**
 * Find duplicates among samples. They are taken in the order of their uids, so that the result does
 * not depend on the order of the input; the first of a cluster stays. A sample joins the nearest
 * earlier one with at most `maxHamming` differing bits and a colour difference within the limit
 * (striped or blank pictures all have the hash zero: without the colours they would all be one).
 *
 * The index has 16 bands of 16 bits: hashes that differ in fewer than 16 bits agree in one of them,
 * so nothing within `maxHamming` ≤ 15 is missed.
 *
 * @returns uid → its duplicate entry, for the samples that go.
 */
export function findDuplicates(
  samples: readonly Fingerprint[],
  limits: DedupLimits,
): Map<string, Duplicate> {
  if (limits.maxHamming >= NUM_BANDS) {
    throw new RangeError(`maxHamming must be below ${NUM_BANDS}, got ${limits.maxHamming}`);
  }
  const duplicates = new Map<string, Duplicate>();
  const byIdentity = new Map<string, string>();
  const bands = new Map<number, Fingerprint[]>();
  const sorted = samples.toSorted((a, b) => (a.uid < b.uid ? -1 : a.uid > b.uid ? 1 : 0));
  for (const sample of sorted) {
    const same = byIdentity.get(sample.identity);
    if (same !== undefined) {
      duplicates.set(sample.uid, { of: same, kind: 'exact-duplicate', distance: 0 });
      continue;
    }
    const near = sample.hash === undefined ? undefined : nearest(sample.hash, bands, limits);
    if (near !== undefined) {
      duplicates.set(sample.uid, near);
      continue;
    }
    byIdentity.set(sample.identity, sample.uid);
    if (sample.hash !== undefined) remember(sample, sample.hash, bands);
  }
  return duplicates;
}

function nearest(
  hash: PerceptualHash,
  bands: ReadonlyMap<number, readonly Fingerprint[]>,
  limits: DedupLimits,
): Duplicate | undefined {
  let best: Duplicate | undefined;
  for (const key of bandKeys(hash)) {
    for (const other of bands.get(key) ?? []) {
      if (other.hash === undefined) continue;
      const distance = hammingDistance(hash, other.hash);
      if (distance > limits.maxHamming || distance > (best?.distance ?? NUM_BANDS)) continue;
      if (meanDistance(hash, other.hash) > limits.maxColourDifference) continue;
      if (best !== undefined && distance === best.distance && best.of <= other.uid) continue;
      best = { of: other.uid, kind: 'near-duplicate', distance };
    }
  }
  return best;
}

function remember(
  sample: Fingerprint,
  hash: PerceptualHash,
  bands: Map<number, Fingerprint[]>,
): void {
  for (const key of bandKeys(hash)) {
    const list = bands.get(key);
    if (list === undefined) bands.set(key, [sample]);
    else list.push(sample);
  }
}

function bandKeys({ bits }: PerceptualHash): number[] {
  const keys: number[] = [];
  for (let band = 0; band < NUM_BANDS; band++) {
    const word = bits[band >> 1] ?? 0;
    const half = band % 2 === 0 ? word & 0xffff : word >>> 16;
    keys.push(band * 0x10000 + half);
  }
  return keys;
}
