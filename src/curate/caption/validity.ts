// Whether an answer is a caption: whole, neither too short nor too long, no refusal, no repetition,
// in the language that was asked for. Pure; the reason goes to the ledger.
import { eld } from 'eld/small';
import type { Answer } from '../../endpoint/answers.ts';
import { refusalTest } from '../filters/text/refusal.ts';

export interface ValidityConfig {
  readonly minChars: number;
  readonly maxChars: number;
  /** Largest share of words (characters where a language has no spaces) that repeat a run of 4. */
  readonly maxRepetition: number;
}

/** The reason why an answer is no caption; undefined when it is one. */
export function invalidReason(
  { text, finish }: Answer,
  language: string,
  refusals: readonly string[],
  config: ValidityConfig,
): string | undefined {
  const caption = text.trim();
  const numChars = [...caption].length;
  if (finish === 'length') return 'truncated';
  if (finish === 'content_filter') return 'refusal';
  if (caption.includes('\0') || caption.includes('\ufffd')) return 'broken-text';
  if (refusalTest(refusals)(caption)) return 'refusal';
  if (numChars < config.minChars) return 'too-short';
  if (numChars > config.maxChars) return 'too-long';
  if (repetition(caption) > config.maxRepetition) return 'repetition';
  if (!isLanguage(caption, language)) return 'language';
  return undefined;
}

const RUN = 4;

/** Share of the units that lie in a run of four which was there before; 0 for fewer than 12. */
export function repetition(caption: string): number {
  const units =
    caption
      .toLowerCase()
      .match(
        /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}]|[\p{L}\p{N}]+/gu,
      ) ?? [];
  if (units.length < 3 * RUN) return 0;
  const seen = new Set<string>();
  const isRepeated = new Uint8Array(units.length);
  for (let i = 0; i + RUN <= units.length; i++) {
    const run = units.slice(i, i + RUN).join(' ');
    if (seen.has(run)) isRepeated.fill(1, i, i + RUN);
    seen.add(run);
  }
  return isRepeated.reduce((sum, value) => sum + value, 0) / units.length;
}

/** Unsure detections count as the language that was asked for. */
function isLanguage(caption: string, language: string): boolean {
  const found = eld.detect(caption);
  return found.language === language || found.language === '' || !found.isReliable();
}
