// Which languages a text may be in.

/** ISO 639-1 code → how well the text fits, 0–1. Empty for a text without words. */
export type Languages = Readonly<Record<string, number>>;

const MAX_CHARS = 400;

/** A detector that goes by the first 400 characters. Its tables load when it is opened. */
export async function openLanguages(): Promise<(text: string) => Languages> {
  const { eld } = await import('eld/small');
  return (text) => eld.detect(text.slice(0, MAX_CHARS)).getScores();
}
