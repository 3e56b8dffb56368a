// Drops captions in which a captioning model refused instead of describing, in the languages that
// captions are asked for in.
import { readPrompts } from '../../caption/prompts.ts';
import { atMost, type Filter } from '../filter.ts';

/** Score: 1 for a refusal, else 0. */
export function refusal(): Filter {
  const isRefusal = refusalTest(Object.values(readPrompts()).flatMap(({ refusals }) => refusals));
  return atMost('refusal', 0, ({ caption }) => (isRefusal(caption) ? 1 : 0));
}

/** Whether a text begins with one of the phrases, signs before it apart. */
export function refusalTest(phrases: readonly string[]): (text: string) => boolean {
  if (phrases.length === 0) return () => false;
  // \W takes Chinese letters for signs, and \b knows no accents.
  const wholeWord = '(?<![a-zà-ÿ](?=[a-zà-ÿ]))';
  const opening = new RegExp(`^[^\\p{L}\\p{N}]*(?:${phrases.join('|')})${wholeWord}`, 'iu');
  return (text) => opening.test(text);
}
