// A byte-level BPE tokenizer opened from Hugging Face files, with a bounded cache.
// Not the chat format (chat-template.ts) and not the training (train-bpe.ts).

import * as fs from 'node:fs';
import * as path from 'node:path';
import { Tokenizer as HfTokenizer } from '@huggingface/tokenizers';
import * as z from 'zod';
import { OneVisionError } from '../core/errors.ts';
import { ensureFolder, writeFileAtomic } from '../core/files.ts';
import { CHAR_TO_BYTE } from './byte-alphabet.ts';
import { chatTemplateSource, QWEN_SYSTEM } from './chat-template-source.ts';
import { defaultSystemOf } from './render-template.ts';
import * as special from './special-tokens.ts';
import { encodeByWords } from './word-cache.ts';

/** Text to ids and back. Ids are those of the Hugging Face libraries. */
export interface Tokenizer {
  /** One more than the largest id. */
  readonly vocabSize: number;
  readonly ids: special.SpecialIds;
  /** System prompt of conversations that have none; '' inserts none. Saved with the tokenizer. */
  readonly defaultSystem: string;
  /** The chat template that was loaded with it, as Jinja; undefined where there was none. */
  readonly chatTemplate: string | undefined;
  /**
   * Ids of a text; control tokens in it are recognised. Results are cached and shared: do not
   * change the array.
   */
  encode(text: string): Int32Array;
  /** Text of ids. Ids outside the vocabulary are left out; broken UTF-8 becomes U+FFFD. */
  decode(ids: ArrayLike<number>, options?: DecodeOptions): string;
  /** How many bytes of text an id stands for. */
  byteLength(id: number): number;
  /** The bytes an id of the byte-level vocabulary stands for; undefined for added and unknown ids. */
  bytes(id: number): Uint8Array | undefined;
  /** Whether an id is a control token, which `skipSpecialTokens` leaves out. */
  isControl(id: number): boolean;
  /**
   * Write tokenizer.json, tokenizer_config.json and chat_template.jinja into a folder, as they were
   * loaded. @throws OneVisionError 'disk'.
   */
  save(folder: string): Promise<void>;
}

export interface DecodeOptions {
  /** Leave control tokens out; default false. */
  readonly skipSpecialTokens?: boolean;
}

/** The contents of the files that make a tokenizer. */
export interface TokenizerFiles {
  readonly tokenizerJson: string;
  readonly configJson: string;
  /** chat_template.jinja; where this and the configuration have none, `save` writes ours. */
  readonly chatTemplate?: string | undefined;
}

const CACHE_ENTRIES = 1 << 16;
const CACHE_TEXT_LENGTH = 1024;

const tokenSchema = z.looseObject({
  id: z.int(),
  content: z.string(),
  special: z.boolean().optional(),
});
const tokenizerSchema = z.looseObject({
  added_tokens: z.array(tokenSchema),
  decoder: z.looseObject({ type: z.string() }).nullable(),
  model: z.looseObject({ type: z.string() }),
});
const configSchema = z.looseObject({
  default_system: z.string().optional(),
  chat_template: z.unknown().optional(),
});

/**
 * Open a folder that holds tokenizer.json and tokenizer_config.json, such as a checkpoint.
 * @throws OneVisionError 'data' for missing, damaged or foreign files.
 */
export function loadTokenizer(folder: string): Tokenizer {
  const template = path.join(folder, 'chat_template.jinja');
  const files: TokenizerFiles = {
    tokenizerJson: readText(path.join(folder, 'tokenizer.json')),
    configJson: readText(path.join(folder, 'tokenizer_config.json')),
    chatTemplate: fs.existsSync(template) ? readText(template) : undefined,
  };
  return createTokenizer(files, folder);
}

/** Make a tokenizer of file contents; `where` names them in errors. */
export function createTokenizer(files: TokenizerFiles, where = 'memory'): Tokenizer {
  const json = parse(files.tokenizerJson, tokenizerSchema, `${where}, tokenizer.json`);
  const config = parse(files.configJson, configSchema, `${where}, tokenizer_config.json`);
  if (json.model.type !== 'BPE' || json.decoder?.type !== 'ByteLevel') {
    throw new OneVisionError(
      'data',
      `expected a byte-level BPE tokenizer in ${where}, came model ${json.model.type} ` +
        `with decoder ${json.decoder?.type ?? 'none'}`,
      { hint: 'use the tokenizer of a Qwen model, or one that onevision trained' },
    );
  }
  const hf = new HfTokenizer(json, config);
  const encode = (text: string): readonly number[] =>
    hf.encode(text, { add_special_tokens: false }).ids;
  const added = new Map(json.added_tokens.map((token) => [token.id, token.content]));
  const control = new Set(
    json.added_tokens.filter((token) => token.special === true).map((token) => token.id),
  );
  const vocabSize = 1 + [...hf.get_vocab().values()].reduce((a, b) => Math.max(a, b), -1);
  const given = files.chatTemplate ?? config.chat_template;
  const chatTemplate = typeof given === 'string' ? given : undefined;
  const defaultSystem = config.default_system ?? systemOfTemplate(chatTemplate);
  return {
    vocabSize,
    ids: findSpecialIds(hf, where),
    defaultSystem,
    chatTemplate,
    encode: cached(encodeByWords(json, encode)),
    decode: (ids, options = {}) => {
      const known = Array.from(ids).filter((id) => hf.id_to_token(id) !== undefined);
      if (known.length === 0) return '';
      const skip = options.skipSpecialTokens ?? false;
      return hf.decode(known, { skip_special_tokens: skip, clean_up_tokenization_spaces: false });
    },
    bytes: (id) => {
      if (added.has(id)) return undefined;
      const chars = hf.id_to_token(id);
      if (chars === undefined) return undefined;
      return Uint8Array.from([...chars], (char: string) => CHAR_TO_BYTE.get(char) ?? 0);
    },
    isControl: (id) => control.has(id),
    byteLength: (id) => {
      const content = added.get(id);
      return content === undefined ? (hf.id_to_token(id)?.length ?? 0) : Buffer.byteLength(content);
    },
    save: async (folder) => {
      ensureFolder(folder);
      const own =
        config.chat_template === undefined ? chatTemplateSource(defaultSystem) : undefined;
      const template = files.chatTemplate ?? own;
      await writeFileAtomic(path.join(folder, 'tokenizer.json'), files.tokenizerJson);
      await writeFileAtomic(path.join(folder, 'tokenizer_config.json'), files.configJson);
      if (template !== undefined) {
        await writeFileAtomic(path.join(folder, 'chat_template.jinja'), template);
      }
    },
  };
}

/** What the template inserts, so that the typed path inserts the same; Qwen's without a template. */
function systemOfTemplate(template: string | undefined): string {
  if (template === undefined) return QWEN_SYSTEM;
  try {
    return defaultSystemOf(template);
  } catch {
    return QWEN_SYSTEM; // a template for other arguments than ours
  }
}

function readText(file: string): string {
  try {
    return fs.readFileSync(file, 'utf8');
  } catch (error) {
    throw new OneVisionError('data', `expected the tokenizer file ${file}, which cannot be read`, {
      cause: error,
      hint: 'give a folder that holds tokenizer.json and tokenizer_config.json',
    });
  }
}

function parse<T>(text: string, schema: z.ZodType<T>, where: string): T {
  try {
    return schema.parse(JSON.parse(text));
  } catch (error) {
    const what = error instanceof z.ZodError ? z.prettifyError(error) : String(error);
    throw new OneVisionError('data', `expected a Hugging Face tokenizer in ${where}: ${what}`, {
      cause: error,
      hint: 'copy the file again from the model it belongs to',
    });
  }
}

function findSpecialIds(hf: HfTokenizer, where: string): special.SpecialIds {
  const id = (token: string): number => {
    const found = hf.token_to_id(token);
    if (found !== undefined) return found;
    throw new OneVisionError('data', `expected the token ${token} in the tokenizer of ${where}`, {
      hint: 'use the tokenizer of a Qwen2-VL or later model, or one that onevision trained',
    });
  };
  return {
    imStart: id(special.IM_START),
    imEnd: id(special.IM_END),
    endOfText: id(special.END_OF_TEXT),
    visionStart: id(special.VISION_START),
    visionEnd: id(special.VISION_END),
    imagePad: id(special.IMAGE_PAD),
    videoPad: id(special.VIDEO_PAD),
  };
}

/** Remember short texts; when full, the older half is forgotten. */
function cached(encode: (text: string) => Int32Array): (text: string) => Int32Array {
  let young = new Map<string, Int32Array>();
  let old = new Map<string, Int32Array>();
  return (text) => {
    const hit = young.get(text);
    if (hit !== undefined) return hit;
    const ids = old.get(text) ?? encode(text);
    if (text.length > CACHE_TEXT_LENGTH) return ids;
    if (young.size >= CACHE_ENTRIES / 2) {
      old = young;
      young = new Map();
    }
    young.set(text, ids);
    return ids;
  };
}
