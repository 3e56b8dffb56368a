// What a captioner is asked, by language, as data (prompts.json or a file of the user's), and which
// language and wording a sample gets: hashes of its uid.
import { fileURLToPath } from 'node:url';
import * as z from 'zod';
import { OneVisionError } from '../../core/errors.ts';
import { readJson } from '../../core/files.ts';
import { coin } from '../../core/hash.ts';

export interface LanguagePrompts {
  readonly system: string;
  /** Wordings; each sample gets one. */
  readonly users: readonly string[];
  /** How a refusal begins in this language: regular expressions, case ignored. */
  readonly refusals: readonly string[];
}

/** Language (ISO 639-1) → prompts. */
export type PromptTable = Readonly<Record<string, LanguagePrompts>>;

const schema: z.ZodType<PromptTable> = z.record(
  z.string(),
  z.strictObject({
    system: z.string(),
    users: z.array(z.string().min(1)).min(1),
    refusals: z.array(z.string()),
  }),
);

/** The prompts of a file; default: those of this package (en, zh, de, fr, es, ja). */
export function readPrompts(file?: string): PromptTable {
  return readJson(file ?? fileURLToPath(new URL('./prompts.json', import.meta.url)), schema);
}

export interface Prompt {
  readonly language: string;
  readonly system: string;
  readonly user: string;
}

/**
 * The prompt of a sample: its language by the weights, its wording uniformly.
 * @throws OneVisionError 'usage' for a language without prompts.
 */
export function choosePrompt(
  uid: string,
  seed: number,
  weights: Readonly<Record<string, number>>,
  table: PromptTable,
): Prompt {
  const total = Object.values(weights).reduce((sum, weight) => sum + weight, 0);
  let left = coin(uid, seed, 'caption-language') * total;
  let language = '';
  for (const [name, weight] of Object.entries(weights)) {
    language = name;
    left -= weight;
    if (left < 0) break;
  }
  const prompts = promptsOf(language, table);
  const { users, system } = prompts;
  const index = Math.floor(coin(uid, seed, 'caption-wording') * users.length);
  return { language, system, user: users[index] ?? '' };
}

export function promptsOf(language: string, table: PromptTable): LanguagePrompts {
  const prompts = table[language];
  if (prompts !== undefined) return prompts;
  throw new OneVisionError('usage', `Expected prompts for "${language}", got none.`, {
    hint: `there are prompts for ${Object.keys(table).join(', ')}; --prompts takes a file of others`,
  });
}
