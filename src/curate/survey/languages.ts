// Which languages a text may be in.
import { eld } from 'eld/small';

/** ISO 639-1 code → how well the text fits, 0–1. Empty for a text without words. */
export type Languages = Readonly<Record<string, number>>;

const MAX_CHARS = 400;

/** Detect by the first 400 characters. */
export function detectLanguages(text: string): Languages {
  return eld.detect(text.slice(0, MAX_CHARS)).getScores();
}
