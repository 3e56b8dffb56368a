// Other pictures of the same benchmark, for asking how likely a reply is whatever is shown.
import { OneVisionError } from '../core/errors.ts';
import { hashUint32 } from '../core/hash.ts';
import { readImageSize } from '../image/decode.ts';
import type { SampleImage } from '../sample/sample.ts';
import type { Benchmark } from './benchmark.ts';
import { readItems } from './data/open-items.ts';
import type { ReplyScore } from './eval-model.ts';

/** The pictures of some items, and the log-probabilities found with them so far. */
export interface References {
  readonly pictures: readonly (readonly SampleImage[])[];
  /** By what was asked and answered; shared by all items of a benchmark. */
  readonly scores: Map<string, ReplyScore>;
}

/** Items whose pictures stand for all pictures. */
const NUM_REFERENCES = 8;

/** Readable pictures of items drawn by a hash of their uid; none where no rule needs them. */
export async function drawReferences(benchmark: Benchmark, data: string): Promise<References> {
  const { scorer } = benchmark;
  const scores = new Map<string, ReplyScore>();
  const needed =
    scorer.kind === 'choice' && scorer.terms.some((term) => term.pictures === 'others');
  if (!needed) return { pictures: [], scores };
  const drawn: { readonly key: number; readonly images: readonly SampleImage[] }[] = [];
  for await (const { uid, images } of readItems(benchmark, data)) {
    const key = hashUint32('reference', uid);
    const last = drawn.at(-1);
    if (drawn.length === NUM_REFERENCES && last !== undefined && key >= last.key) continue;
    if (!(await areReadable(images))) continue;
    drawn.push({ key, images });
    drawn.sort((a, b) => a.key - b.key).splice(NUM_REFERENCES);
  }
  return { pictures: drawn.map(({ images }) => images), scores };
}

async function areReadable(images: readonly SampleImage[]): Promise<boolean> {
  try {
    await Promise.all(images.map(({ bytes }) => readImageSize(bytes)));
    return images.length > 0;
  } catch (error) {
    if (error instanceof OneVisionError && error.code === 'data') return false;
    throw error;
  }
}

/** log of the mean probability: log (1/K Σ exp(log pₖ)). */
export function meanProbability(scores: readonly ReplyScore[]): ReplyScore | undefined {
  const [first] = scores;
  if (first === undefined) return undefined;
  const highest = Math.max(...scores.map((score) => score.sumLogProb));
  const sum = scores.reduce((total, score) => total + Math.exp(score.sumLogProb - highest), 0);
  return { ...first, sumLogProb: highest + Math.log(sum / scores.length) };
}
