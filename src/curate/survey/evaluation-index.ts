// What evaluation sets contain, in a form that a sample can be held against: fingerprints of the
// pictures and hashes of all runs of 13 words. Made once, read by every worker.
import { existsSync } from 'node:fs';
import * as z from 'zod';
import { readJson, writeFileAtomic } from '../../core/files.ts';
import { hashUint32 } from '../../core/hash.ts';
import { decodeImage } from '../../image/decode.ts';
import {
  type PerceptualHash,
  perceptualHash,
  perceptualHashFromHex,
  perceptualHashToHex,
} from '../../image/perceptual-hash.ts';
import { openSource } from '../../sample/sources/open.ts';
import { readSource } from '../../sample/sources/source.ts';
import { createHammingIndex, HASH_WORDS } from '../dedup/hamming-index.ts';

export interface EvaluationIndex {
  /** Differing bits to the nearest evaluation picture; null when none is near. */
  nearestImage(hash: PerceptualHash): number | null;
  /** How many runs of 13 words of the text occur in an evaluation text. */
  sharedRuns(text: string): number;
}

const RUN = 13;

const fileSchema = z.strictObject({
  images: z.array(z.string()),
  /** Two hashes a run, as one number below 2^53. */
  runs: z.array(z.number()),
});

/**
 * Read the evaluation sets and keep what matters in a file, unless it is there. Pictures of more than
 * `maxPixels` are refused.
 * @throws OneVisionError 'data' when a folder is no source.
 */
export async function writeEvaluationIndex(
  folders: readonly string[],
  path: string,
  maxPixels: number,
): Promise<void> {
  if (existsSync(path)) return;
  const images = new Set<string>();
  const runs = new Set<number>();
  for (const folder of folders) {
    for await (const { sample } of readSource(await openSource(folder))) {
      if (sample === undefined) continue;
      for (const { bytes } of sample.images) {
        const image = await decodeImage(bytes, { maxPixels });
        images.add(perceptualHashToHex(await perceptualHash(image)));
      }
      for (const run of runsOf(sample.messages.map((m) => m.content).join('\n'))) runs.add(run);
    }
  }
  await writeFileAtomic(path, JSON.stringify({ images: [...images], runs: [...runs] }));
}

/** Read the file of `writeEvaluationIndex`; pictures up to `maxHamming` bits away are found. */
export function readEvaluationIndex(path: string, maxHamming: number): EvaluationIndex {
  const { images, runs } = readJson(path, fileSchema);
  const hashes = images.map(perceptualHashFromHex);
  const words = new Uint32Array(HASH_WORDS * hashes.length);
  for (const [row, hash] of hashes.entries()) words.set(hash.bits, HASH_WORDS * row);
  const index = createHammingIndex(words, maxHamming);
  for (const row of hashes.keys()) index.add(row);
  const known = new Set(runs);
  return {
    nearestImage: (hash) => index.nearest(hash.bits)?.distance ?? null,
    sharedRuns: (text) => runsOf(text).reduce((count, run) => count + (known.has(run) ? 1 : 0), 0),
  };
}

/** Hashes of every 13 neighbouring words; none for shorter texts, which prove nothing. */
function runsOf(text: string): number[] {
  const words = text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? [];
  const runs: number[] = [];
  for (let at = 0; at + RUN <= words.length; at++) {
    const run = words.slice(at, at + RUN).join(' ');
    runs.push((hashUint32(run) & 0x1fffff) * 2 ** 32 + hashUint32(run, 1));
  }
  return runs;
}
