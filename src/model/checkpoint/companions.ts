// The files beside the weights that make a folder a model for every tool: tokenizer, processor,
// generation settings, chat template, remote code. Carried along byte for byte.

import * as fs from 'node:fs';
import * as path from 'node:path';
import { ensureFolder, writeFileAtomic } from '../../core/files.ts';

const NAMES: readonly string[] = [
  'added_tokens.json',
  'chat_template.jinja',
  'chat_template.json',
  'generation_config.json',
  'merges.txt',
  'preprocessor_config.json',
  'processor_config.json',
  'special_tokens_map.json',
  'tokenizer.json',
  'tokenizer_config.json',
  'video_preprocessor_config.json',
  'vocab.json',
];
/** What config.json's auto_map names: read by other tools, never by us. */
const REMOTE_CODE = /^(configuration|modeling|processing)_\w+\.py$/;

/** The companions that a folder has, sorted. */
export function listCompanions(folder: string): string[] {
  const isCompanion = (name: string): boolean => NAMES.includes(name) || REMOTE_CODE.test(name);
  return fs.existsSync(folder) ? fs.readdirSync(folder).filter(isCompanion).sort() : [];
}

/** Copy them. @throws OneVisionError 'disk'. */
export async function copyCompanions(from: string, to: string): Promise<void> {
  ensureFolder(to);
  if (path.resolve(from) === path.resolve(to)) return;
  for (const name of listCompanions(from)) {
    await writeFileAtomic(path.join(to, name), fs.readFileSync(path.join(from, name)));
  }
}
