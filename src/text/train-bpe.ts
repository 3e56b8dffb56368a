// Trains a byte-level BPE tokenizer in Hugging Face's format with Qwen's pre-tokenizer and our
// control tokens. Deterministic: the same texts give the same bytes.

import { OneVisionError } from '../core/errors.ts';
import { BYTE_TO_CHAR } from './byte-alphabet.ts';
import { chatTemplateSource, QWEN_SYSTEM } from './chat-template-source.ts';
import { learnMerges, type Merge } from './merges.ts';
import { END_OF_TEXT, IM_END, SPECIAL_TOKENS } from './special-tokens.ts';
import type { TokenizerFiles } from './tokenizer.ts';

export interface TrainTokenizerOptions {
  /** A pair must occur this often to become a token; default 2. */
  readonly minFrequency?: number;
  /** System prompt of conversations that have none; default Qwen's, '' = none. */
  readonly defaultSystem?: string;
}

/** Qwen's pre-tokenizer: contractions, words, single digits, punctuation, line ends, spaces. */
export const QWEN_PATTERN: string =
  "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}|" +
  ' ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+';

/** The same pattern for JavaScript engines without inline flags. */
const PIECES: RegExp = new RegExp(
  QWEN_PATTERN.replace(/^\(\?i:[^)]*\)/, "(?:'(?:[sSſtTmMdD]|[rR][eE]|[vV][eE]|[lL][lL]))"),
  'gu',
);
const CONTROL = new RegExp(SPECIAL_TOKENS.map((t) => t.replace(/\|/g, '\\|')).join('|'), 'g');

/**
 * Train a tokenizer. The words of the chat format are counted once a text, so that a role costs
 * one token. Control tokens in the texts are ignored.
 * @param vocabSize ids in all: 256 bytes, the merges, the control tokens. Fewer come out when the
 * texts do not hold enough pairs.
 * @returns the contents of the tokenizer's files; `createTokenizer` opens them.
 * @throws OneVisionError 'recipe' when vocabSize is too small.
 * Source of the algorithm: Sennrich et al. 2016, byte-level as in GPT-2.
 */
export function trainTokenizer(
  texts: Iterable<string>,
  vocabSize: number,
  options: TrainTokenizerOptions = {},
): TokenizerFiles {
  const fixed = BYTE_TO_CHAR.length + SPECIAL_TOKENS.length;
  if (!Number.isInteger(vocabSize) || vocabSize < fixed) {
    throw new OneVisionError(
      'recipe',
      `expected a vocabulary of at least ${fixed} tokens (bytes and control tokens), ` +
        `came ${vocabSize}`,
      { hint: 'set the vocabulary size to 2048 or more' },
    );
  }
  const defaultSystem = options.defaultSystem ?? QWEN_SYSTEM;
  const alphabet = [...BYTE_TO_CHAR].sort();
  const words = countWords(texts, ['system\n', 'user\n', 'assistant\n', defaultSystem]);
  const merges = learnMerges(words, alphabet, {
    maxTokens: vocabSize - SPECIAL_TOKENS.length,
    minFrequency: options.minFrequency ?? 2,
  });
  return tokenizerFiles(alphabet, merges, defaultSystem);
}

/** Distinct pre-tokens as alphabet characters, with how often each occurs. */
function countWords(texts: Iterable<string>, everyText: readonly string[]): Map<string, number> {
  const pieces = new Map<string, number>();
  let numTexts = 0;
  const count = (text: string, times: number): void => {
    for (const [piece] of text.normalize('NFC').matchAll(PIECES)) {
      pieces.set(piece, (pieces.get(piece) ?? 0) + times);
    }
  };
  for (const text of texts) {
    numTexts += 1;
    for (const part of text.split(CONTROL)) count(part, 1);
  }
  for (const text of everyText) count(text, numTexts);
  const words = new Map<string, number>();
  for (const [piece, times] of pieces) {
    const chars = Array.from(Buffer.from(piece), (byte) => BYTE_TO_CHAR[byte]);
    words.set(chars.join(''), times);
  }
  return words;
}

function tokenizerFiles(
  alphabet: readonly string[],
  merges: readonly Merge[],
  defaultSystem: string,
): TokenizerFiles {
  const vocab: Record<string, number> = {};
  let numTokens = 0;
  for (const token of [...alphabet, ...merges.map(([left, right]) => left + right)]) {
    if (Object.hasOwn(vocab, token)) continue;
    vocab[token] = numTokens;
    numTokens += 1;
  }
  const flags = { single_word: false, lstrip: false, rstrip: false, normalized: false };
  const added = SPECIAL_TOKENS.map((content, i) => {
    return { id: numTokens + i, content, ...flags, special: true };
  });
  const byteLevel = { type: 'ByteLevel', add_prefix_space: false, trim_offsets: false };
  const split = { type: 'Split', pattern: { Regex: QWEN_PATTERN }, behavior: 'Isolated' };
  const tokenizer = {
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: added,
    normalizer: { type: 'NFC' },
    pre_tokenizer: {
      type: 'Sequence',
      pretokenizers: [
        { ...split, invert: false },
        { ...byteLevel, use_regex: false },
      ],
    },
    post_processor: { ...byteLevel, use_regex: false },
    decoder: { ...byteLevel, use_regex: false },
    model: {
      type: 'BPE',
      dropout: null,
      unk_token: null,
      continuing_subword_prefix: '',
      end_of_word_suffix: '',
      fuse_unk: false,
      byte_fallback: false,
      ignore_merges: false,
      vocab,
      merges,
    },
  };
  const config = {
    tokenizer_class: 'Qwen2Tokenizer',
    added_tokens_decoder: Object.fromEntries(added.map(({ id, ...token }) => [id, token])),
    additional_special_tokens: SPECIAL_TOKENS.filter((t) => t !== END_OF_TEXT),
    bos_token: null,
    eos_token: IM_END,
    pad_token: END_OF_TEXT,
    unk_token: null,
    add_prefix_space: false,
    clean_up_tokenization_spaces: false,
    split_special_tokens: false,
    errors: 'replace',
    model_max_length: 131072,
    default_system: defaultSystem,
  };
  return {
    tokenizerJson: `${JSON.stringify(tokenizer, null, 1)}\n`,
    configJson: `${JSON.stringify(config, null, 1)}\n`,
    chatTemplate: chatTemplateSource(defaultSystem),
  };
}
