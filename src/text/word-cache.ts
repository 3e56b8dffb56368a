// Encoding a text by its words: a byte-level BPE encodes each piece of its splitting rule alone, so
// that what a word gives can be remembered. Ids are those of the encoder behind it.
import * as z from 'zod';

type Encode = (text: string) => ArrayLike<number>;

/** Only such tokenizers: Qwen's, and those that we train. */
const rulesSchema = z.looseObject({
  normalizer: z.looseObject({ type: z.literal('NFC') }).nullable(),
  pre_tokenizer: z.looseObject({
    type: z.literal('Sequence'),
    pretokenizers: z.tuple([
      z.looseObject({
        type: z.literal('Split'),
        pattern: z.object({ Regex: z.string() }),
        behavior: z.literal('Isolated'),
        invert: z.literal(false),
      }),
      z.looseObject({
        type: z.literal('ByteLevel'),
        add_prefix_space: z.literal(false),
        use_regex: z.literal(false),
      }),
    ]),
  }),
  added_tokens: z.array(z.looseObject({ content: z.string() })),
});

const CACHE_WORDS = 1 << 16;
/** Longer pieces are rarely met again. */
const WORD_LENGTH = 32;

/**
 * `encode`, faster. Texts with an added token in them, and tokenizers with other rules, go to it as
 * they are.
 */
export function encodeByWords(tokenizer: unknown, encode: Encode): (text: string) => Int32Array {
  const plain = (text: string): Int32Array => Int32Array.from(encode(text));
  const rules = rulesSchema.safeParse(tokenizer);
  if (!rules.success) return plain;
  const { normalizer, pre_tokenizer, added_tokens } = rules.data;
  const pattern = compile(pre_tokenizer.pretokenizers[0].pattern.Regex);
  if (pattern === undefined) return plain;
  const added = added_tokens.map(({ content }) => content);
  let words = new Map<string, Int32Array>();
  const idsOf = (word: string): Int32Array => {
    const known = words.get(word);
    if (known !== undefined) return known;
    const ids = plain(word);
    if (word.length > WORD_LENGTH) return ids;
    if (words.size >= CACHE_WORDS) words = new Map();
    words.set(word, ids);
    return ids;
  };
  return (text) => {
    if (added.some((token) => text.includes(token))) return plain(text);
    const parts = splitBy(pattern, normalizer === null ? text : text.normalize('NFC'));
    return join(parts.map(idsOf));
  };
}

/** Undefined where this engine lacks a feature of the rule, such as `(?i:…)` before V8 12.5. */
function compile(rule: string): RegExp | undefined {
  try {
    return new RegExp(rule, 'gu');
  } catch {
    return undefined;
  }
}

/** Matches, and what lies between them. */
function splitBy(pattern: RegExp, text: string): string[] {
  const parts: string[] = [];
  let end = 0;
  pattern.lastIndex = 0;
  for (let match = pattern.exec(text); match !== null; match = pattern.exec(text)) {
    if (match.index > end) parts.push(text.slice(end, match.index));
    if (match[0] === '') pattern.lastIndex += 1;
    else parts.push(match[0]);
    end = match.index + match[0].length;
  }
  if (end < text.length) parts.push(text.slice(end));
  return parts;
}

function join(parts: readonly Int32Array[]): Int32Array {
  const out = new Int32Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}
