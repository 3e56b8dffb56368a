// Which language a text is in: what its sample says, else what it looks like.
import type { Sample } from '../../sample/sample.ts';

/** ISO 639-1 code → how well the text fits, 0–1. Empty for a text without words. */
export type Languages = Readonly<Record<string, number>>;

const MAX_CHARS = 400;

/** A detector that goes by the first 400 characters. Its tables load when it is opened. */
export async function openLanguages(): Promise<(text: string) => Languages> {
  const { eld } = await import('eld/small');
  return (text) => eld.detect(text.slice(0, MAX_CHARS)).getScores();
}

/** The likeliest; '' where none fits. */
export function bestOf(languages: Languages): string {
  let best = '';
  for (const [code, score] of Object.entries(languages)) {
    if (best === '' || score > (languages[best] ?? 0)) best = code;
  }
  return best;
}

/** `meta.language`, or the language that the captioner was asked for. */
export function statedLanguage({ meta }: Pick<Sample, 'meta'>): string | undefined {
  const { language = Object(meta['captioner']).language } = meta;
  return typeof language === 'string' && language !== '' ? language : undefined;
}
