// Second step: from the survey's rows to one decision for each input. Reads no image.
import { sha256Hex } from '../core/hash.ts';
import { perceptualHashFromHex } from '../image/perceptual-hash.ts';
import type { Verdict } from '../sample/ledger.ts';
import { balance } from './balance.ts';
import type { CurateConfig } from './config.ts';
import { type Fingerprint, findDuplicates } from './dedup.ts';
import type { Facts } from './filters/filter.ts';
import { createFilters, judge } from './filters/index.ts';
import type { SurveyRow } from './survey.ts';

/** What becomes of one input. */
export interface Decision {
  readonly uid: string;
  readonly readable: boolean;
  /** Whether it belongs to what training may see. */
  readonly isTraining: boolean;
  readonly concepts: readonly string[];
  verdict: Verdict;
  reason: string;
  score?: number | undefined;
  parent?: string | undefined;
  /** Whether it passed filters and deduplication. */
  clean: boolean;
  /** How often it is written; 0 unless the verdict is 'keep'. */
  copies: number;
}

interface Candidate {
  readonly decision: Decision;
  readonly row: Pick<SurveyRow, 'variantOf' | 'identity'>;
  readonly hash: string | undefined;
}

/**
 * Decide on every row: filters, variants, duplicates, then (training side only) balancing.
 *
 * @param rows called twice; each time all rows in the same order.
 */
export async function decide(
  rows: () => AsyncIterable<SurveyRow>,
  config: CurateConfig,
): Promise<Decision[]> {
  const titles = await countTitles(rows());
  const { decisions, candidates } = await applyFilters(rows(), titles, config);
  const bases = dropVariants(candidates);
  const clean = dropDuplicates(bases, config);
  for (const { decision } of clean) {
    Object.assign(decision, { verdict: 'keep', reason: 'clean', clean: true, copies: 1 });
  }
  const training = clean.map(({ decision }) => decision).filter(({ isTraining }) => isTraining);
  draw(training, config);
  return decisions;
}

async function countTitles(rows: AsyncIterable<SurveyRow>): Promise<Map<string, number>> {
  const uses = new Map<string, number>();
  for await (const row of rows) {
    if (row.error !== undefined) continue;
    const key = titleKey(row);
    uses.set(key, (uses.get(key) ?? 0) + 1);
  }
  return uses;
}

function titleKey(row: SurveyRow): string {
  const title = row.title.trim().toLowerCase();
  return sha256Hex(JSON.stringify([row.source, title])).slice(0, 24);
}

async function applyFilters(
  rows: AsyncIterable<SurveyRow>,
  titles: ReadonlyMap<string, number>,
  config: CurateConfig,
): Promise<{ decisions: Decision[]; candidates: Candidate[] }> {
  const filters = createFilters(config.filters);
  const decisions: Decision[] = [];
  const candidates: Candidate[] = [];
  for await (const row of rows) {
    const decision = newDecision(row);
    decisions.push(decision);
    if (row.error !== undefined) {
      Object.assign(decision, { verdict: 'error', reason: row.error });
      continue;
    }
    const refused = judge(filters, factsOf(row, titles.get(titleKey(row)) ?? 1));
    if (refused !== undefined) Object.assign(decision, refused);
    else candidates.push({ decision, row: pick(row), hash: row.image?.hash });
  }
  return { decisions, candidates };
}

function newDecision(row: SurveyRow): Decision {
  const { uid, readable, split, heldOut, concepts } = row;
  const isTraining = row.error === undefined && split === 'train' && !heldOut;
  return {
    uid,
    readable,
    isTraining,
    concepts,
    verdict: 'drop',
    reason: '',
    clean: false,
    copies: 0,
  };
}

function pick({ variantOf, identity }: SurveyRow): Candidate['row'] {
  return { variantOf, identity };
}

function factsOf(row: SurveyRow, numTitleUses: number): Facts {
  const { caption, title, labels } = row;
  // A sample without an image has nothing an image filter could refuse.
  const image = row.image ?? { width: 4096, height: 4096, spread: 255 };
  const { width, height, spread } = image;
  return { caption, title, numTitleUses, width, height, spread, labels };
}

/** A variant (a skin tone of the same emoji) goes when its base is there. */
function dropVariants(candidates: readonly Candidate[]): Candidate[] {
  const present = new Set(candidates.map(({ decision }) => decision.uid));
  return candidates.filter(({ decision, row }) => {
    if (row.variantOf === null || !present.has(row.variantOf)) return true;
    decision.reason = 'variant';
    decision.parent = row.variantOf;
    return false;
  });
}

function dropDuplicates(candidates: readonly Candidate[], config: CurateConfig): Candidate[] {
  const fingerprints = candidates.map(
    ({ decision, row, hash }): Fingerprint => ({
      uid: decision.uid,
      identity: row.identity,
      hash: hash === undefined ? undefined : perceptualHashFromHex(hash),
    }),
  );
  const duplicates = findDuplicates(fingerprints, config.dedup);
  return candidates.filter(({ decision }) => {
    const duplicate = duplicates.get(decision.uid);
    if (duplicate === undefined) return true;
    decision.reason = duplicate.kind;
    decision.score = duplicate.distance;
    decision.parent = duplicate.of;
    return false;
  });
}

function draw(training: readonly Decision[], config: CurateConfig): void {
  const { scores, copies } = balance(training, config.balance, config.seed);
  for (const [i, decision] of training.entries()) {
    const times = copies[i] ?? 0;
    decision.copies = times;
    decision.score = scores[i];
    decision.verdict = times > 0 ? 'keep' : 'drop';
    decision.reason = times > 0 ? 'drawn' : 'not-drawn';
  }
}
