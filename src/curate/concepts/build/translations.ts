// What concepts are called in other languages: from a file of JSON lines, or the names of emoji.
import { existsSync } from 'node:fs';
import * as z from 'zod';
import { OneVisionError } from '../../../core/errors.ts';
import { sha256File } from '../../../core/files.ts';
import { readJsonl } from '../../../core/jsonl.ts';
import { LANGUAGES_PACKAGE, readEmojiNames } from '../../../sample/corpus/emojibase.ts';
import { packageVersion } from '../../../sample/corpus/packages.ts';
import { addTranslation, conceptName, type LabelCount } from './labels.ts';

/** In place of a file: what emojibase calls emoji in 27 languages beside English. */
const EMOJI = 'emoji';

const rowSchema = z.object({ name: z.string(), language: z.string(), label: z.string() });

/** @throws OneVisionError 'data' when there is no such file. */
export async function hashTranslations(path: string): Promise<string> {
  if (path === EMOJI) return packageVersion(LANGUAGES_PACKAGE);
  if (existsSync(path)) return await sha256File(path);
  throw new OneVisionError('data', `expected a file of translations at ${path}, there is none`, {
    hint: `give JSON lines {name, language, label}, or ${EMOJI}`,
  });
}

/**
 * Notes them with the labels of their concepts.
 * @throws OneVisionError 'data' for a line that is none, or when the emoji package is absent.
 */
export async function readTranslations(
  path: string,
  labels: Map<string, LabelCount>,
): Promise<void> {
  for await (const { name, language, label } of path === EMOJI ? emoji() : rowsOf(path)) {
    const concept = conceptName(name) ?? '';
    const entry = labels.get(concept) ?? { count: 0, translations: new Map() };
    labels.set(concept, entry);
    addTranslation(entry, language, label);
  }
}

function* emoji(): Generator<z.infer<typeof rowSchema>, void, undefined> {
  for (const name of readEmojiNames()) if (name.language !== 'en') yield name;
}

async function* rowsOf(path: string): AsyncGenerator<z.infer<typeof rowSchema>, void, undefined> {
  let line = 0;
  for await (const row of readJsonl(path)) {
    line += 1;
    const parsed = rowSchema.safeParse(row);
    if (parsed.success) yield parsed.data;
    else {
      throw new OneVisionError(
        'data',
        `expected {name, language, label} in ${path} line ${line}:\n` +
          z.prettifyError(parsed.error),
      );
    }
  }
}
