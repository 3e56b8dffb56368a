// The identity of a score: everything that could have made it another number, in one hash.
import { sha256Hex } from '../core/hash.ts';
import type { Profile } from './scorers/scorer.ts';
import { SCORINGS, type ScoringName } from './scorers/scorings.ts';

/** What a score depends on. */
export interface ScoreParts {
  /** Hash over the bytes of the data, pictures included. */
  readonly data: string;
  /** What is asked: a hash of the benchmark with its prompts and how many of its items. */
  readonly prompt: string;
  /** How replies are written; any JSON. */
  readonly decoding: unknown;
  /** Hash of the weights, or name and revision behind an endpoint. */
  readonly model: string;
  readonly scoring: ScoringName;
  readonly profile: Profile;
  /** Model and prompt of the judge, where there is one. */
  readonly judge?: string | undefined;
}

/** Name, version and profile of the rules: `mmstar/1/strict`. */
export function scoringIdentity(scoring: ScoringName, profile: Profile): string {
  return `${scoring}/${SCORINGS[scoring].version}/${profile}`;
}

/** 16 hexadecimal digits; printed with every number. Equal identities are one measurement. */
export function scoreIdentity(parts: ScoreParts): string {
  const { data, prompt, decoding, model, scoring, profile, judge } = parts;
  const rules = scoringIdentity(scoring, profile);
  const text = JSON.stringify([data, prompt, canonical(decoding), model, rules, judge ?? '']);
  return sha256Hex(text).slice(0, 16);
}

/** The same JSON whatever the order of keys. */
function canonical(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(canonical);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return entries.map(([key, inner]) => [key, canonical(inner)]);
}
