// Identities, one way for every benchmark: of what was asked of whom, of the rules, and of the score,
// which has everything that could have made it another number.
import { sha256Hex } from '../core/hash.ts';
import type { Benchmark } from './benchmark.ts';
import type { Profile } from './scorers/scorer.ts';
import { SCORINGS } from './scorers/scorings.ts';

/** Raise it when every benchmark is asked otherwise. */
const ASK_VERSION = 4;
/** Of the rules without profiles. Raise one when its rule changes. */
const RULES = { choice: 1, exact: 1 } as const;

/** What was asked of whom. */
export interface Asked {
  /** As it is really asked; its prompts, decoding and numbers of rows count, its words for people do not. */
  readonly benchmark: Benchmark;
  /** Hash over the bytes of the data, pictures included. */
  readonly data: string;
  /** Hash of the weights, or name and address behind an endpoint. */
  readonly model: string;
  /** How many rows, where not all of them. */
  readonly limit?: number | undefined;
}

/** Replies with one of these may be scored anew without asking. 16 hexadecimal digits. */
export function askIdentity({ benchmark, data, model, limit }: Asked): string {
  const { title: _, suite: __, licence: ___, chance: ____, baseline: _____, ...asked } = benchmark;
  // Replies are kept and scored later; what is scored as it comes is asked under its rules.
  const rules = asked.scorer.kind === 'reply' ? '' : rulesIdentity(asked.scorer, 'strict');
  return short([ASK_VERSION, asked, rules, data, model, limit ?? 'all']);
}

/** Name, version and profile of the rules: `mmstar/2/strict`; without profiles `choice/1`. */
export function rulesIdentity(scorer: Benchmark['scorer'], profile: Profile): string {
  if (scorer.kind !== 'reply') return `${scorer.kind}/${RULES[scorer.kind]}`;
  return `${scorer.scoring}/${SCORINGS[scorer.scoring].version}/${profile}`;
}

/** What a score depends on. */
export interface ScoreParts {
  /** Of the asking; see {@link askIdentity}. */
  readonly asked: string;
  /** See {@link rulesIdentity}. */
  readonly rules: string;
  /** Model and prompts of the judge, where there is one. */
  readonly judge?: string | undefined;
}

/** 16 hexadecimal digits; printed with every number. Equal identities are one measurement. */
export function scoreIdentity({ asked, rules, judge }: ScoreParts): string {
  return short([asked, rules, judge ?? '']);
}

function short(parts: readonly unknown[]): string {
  return sha256Hex(JSON.stringify(parts, sorted)).slice(0, 16);
}

/** The same JSON whatever the order of keys. */
function sorted(_: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
}
