// From the marks of all items to one number with its denominator: five ways, as data. Pure.
import { OneVisionError } from '../../core/errors.ts';
import { round } from './python.ts';

/** How items become a number. Columns are named as in `AnsweredItem.columns`. */
export type Aggregator =
  /** Σ score ÷ items; lmms-eval rounds MMMU's to five decimals before it is printed. */
  | { readonly kind: 'mean'; readonly decimals?: number }
  /** Mean of the groups' means, plain or weighted by group name; weights sum to 1. */
  | {
      readonly kind: 'macro';
      readonly by: string;
      readonly weights?: Readonly<Record<string, number>>;
    }
  /** A group counts when all its items are right (MMBench's rotations). */
  | { readonly kind: 'all-of-group'; readonly by: string; readonly modulus?: number }
  /** WeMath: problems of two and three steps; (n − ½·IG − RM − IK) ÷ n. */
  | { readonly kind: 'steps'; readonly id: string; readonly step: string; readonly mode: StepMode }
  /** Σ score ÷ a fixed total (OCRBench: 1000). */
  | { readonly kind: 'sum'; readonly total: number };

/** Whether a composite problem that is right needs all its steps right, or any of them. */
export type StepMode = 'strict' | 'loose';

/** One scored item. */
export interface ScoredItem {
  readonly uid: string;
  readonly score: number;
  readonly columns?: Readonly<Record<string, string>> | undefined;
}

/** A number and what it was divided by. */
export interface Aggregate {
  /** 0 to 1. */
  readonly value: number;
  /** Items, groups or points: what one step of the number is one part of. */
  readonly denominator: number;
  /** Value of each group, where there are groups. */
  readonly groups?: Readonly<Record<string, { readonly value: number; readonly items: number }>>;
}

/**
 * @throws OneVisionError `data` when there are no items, a column is missing, or a WeMath problem
 * lacks a step
 */
export function aggregate(items: readonly ScoredItem[], how: Aggregator): Aggregate {
  if (items.length === 0) {
    throw new OneVisionError('data', 'Aggregation: expected at least one scored item, came none.');
  }
  switch (how.kind) {
    case 'mean':
      return { value: rounded(meanScore(items), how.decimals), denominator: items.length };
    case 'sum':
      return { value: sumScores(items) / how.total, denominator: how.total };
    case 'macro':
      return macro(items, how.by, how.weights);
    case 'all-of-group':
      return allOfGroup(items, how.by, how.modulus);
    case 'steps':
      return steps(items, how);
  }
}

function macro(
  items: readonly ScoredItem[],
  by: string,
  weights: Readonly<Record<string, number>> | undefined,
): Aggregate {
  const groups: Record<string, { value: number; items: number }> = {};
  for (const [name, members] of groupBy(items, (item) => column(item, by))) {
    groups[name] = { value: meanScore(members), items: members.length };
  }
  const names = Object.keys(groups);
  const weightOf = (name: string): number => (weights ? (weights[name] ?? 0) : 1 / names.length);
  const lacking = Object.keys(weights ?? {}).filter((name) => !(name in groups));
  if (lacking.length > 0) {
    throw new OneVisionError(
      'data',
      `Aggregation by ${by}: expected items of every group, came none of ${lacking.join(', ')}.`,
    );
  }
  const value = names.reduce((sum, name) => sum + weightOf(name) * (groups[name]?.value ?? 0), 0);
  return { value, denominator: items.length, groups };
}

function allOfGroup(
  items: readonly ScoredItem[],
  by: string,
  modulus: number | undefined,
): Aggregate {
  const keyOf = (item: ScoredItem): string => {
    const key = column(item, by);
    return modulus === undefined ? key : String(Number(key) % modulus);
  };
  const groups = [...groupBy(items, keyOf).values()];
  const right = groups.filter((group) => group.every(({ score }) => score >= 1)).length;
  return { value: right / groups.length, denominator: groups.length };
}

function steps(
  items: readonly ScoredItem[],
  how: { readonly id: string; readonly step: string; readonly mode: StepMode },
): Aggregate {
  const problems = [...groupBy(items, (item) => column(item, how.id))];
  let points = 0;
  for (const [id, parts] of problems) {
    points += problemPoints(id, parts, how.step, how.mode);
  }
  return { value: points / problems.length, denominator: problems.length };
}

/** 1 for mastery, ½ where only the composite fails, 0 where a step fails or it was rote. */
function problemPoints(
  id: string,
  parts: readonly ScoredItem[],
  stepColumn: string,
  mode: StepMode,
): number {
  const composite = parts.find((part) => column(part, stepColumn).endsWith('_multi'));
  const single = parts.filter((part) => part !== composite);
  const expected = Number.parseInt(column(composite ?? parts[0], stepColumn), 10);
  if (composite === undefined || single.length !== expected) {
    throw new OneVisionError(
      'data',
      `WeMath problem ${id}: expected ${expected} steps and one composite, came ${parts.length} rows.`,
      { hint: 'every problem must be scored with all its steps; run without a limit' },
    );
  }
  const right = single.filter((part) => part.score >= 1).length;
  if (composite.score < 1) return right === expected ? 0.5 : 0;
  return (mode === 'strict' ? right === expected : right > 0) ? 1 : 0;
}

function column(item: ScoredItem | undefined, name: string): string {
  const value = item?.columns?.[name];
  if (value !== undefined) return value;
  throw new OneVisionError(
    'data',
    `Aggregation: expected column "${name}" on every item, item ${item?.uid} has none.`,
  );
}

function groupBy(
  items: readonly ScoredItem[],
  keyOf: (item: ScoredItem) => string,
): Map<string, ScoredItem[]> {
  const groups = new Map<string, ScoredItem[]>();
  for (const item of items) {
    const key = keyOf(item);
    const members = groups.get(key);
    if (members === undefined) groups.set(key, [item]);
    else members.push(item);
  }
  return groups;
}

function sumScores(items: readonly ScoredItem[]): number {
  return items.reduce((sum, item) => sum + item.score, 0);
}

function rounded(value: number, decimals: number | undefined): number {
  return decimals === undefined ? value : round(value, decimals);
}

function meanScore(items: readonly ScoredItem[]): number {
  return sumScores(items) / items.length;
}
