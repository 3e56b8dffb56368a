// VLMEvalKit's rule, static part: one letter near the end of the reply, or one option text in it.
import { numCharacters, words } from '../python.ts';
import { isApiFailure, letters } from './letter.ts';

const REFUSED = [
  "Sorry, I can't help with images of people yet.",
  "I can't process this file.",
  "I'm sorry, but without the image provided",
  'Cannot determine the answer',
];

/** The letter, `Z` for a refusal, or undefined where the original asks a judge. */
export function canInferLetter(reply: string, options: readonly string[]): string | undefined {
  return byWord(reply, letters(options.length)) ?? byOption(reply, options);
}

function byWord(reply: string, choices: readonly string[]): string | undefined {
  if (isApiFailure(reply)) return undefined;
  if (REFUSED.some((phrase) => reply.includes(phrase))) return 'Z';
  const tokens = words(reply.replace(/[.()[\],:;!*#{}]/g, ' '));
  const found = choices.filter((choice) => tokens.includes(choice));
  const [only] = found;
  if (found.length === 1 && only !== undefined && tokens.indexOf(only) > tokens.length - 5) {
    return only;
  }
  if (found.length === 0 && tokens.includes('Z')) return 'Z';
  const said = /(?:correct )?answer is\s*\**\s*\(?([A-Z])(?![A-Za-z])/i
    .exec(reply)?.[1]
    ?.toUpperCase();
  return said !== undefined && choices.includes(said) ? said : undefined;
}

function byOption(reply: string, options: readonly string[]): string | undefined {
  const text = reply.toLowerCase();
  const texts = options.map((option) => option.toLowerCase());
  const allowed = 2 * texts.reduce((sum, option) => sum + numCharacters(option), 0);
  if (numCharacters(text) > allowed) return undefined;
  const named = texts.flatMap((option, index) =>
    text.includes(option) ? [String.fromCharCode(65 + index)] : [],
  );
  return named.length === 1 ? named[0] : undefined;
}
