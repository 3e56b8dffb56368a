// A pack as the model sees it, trained tokens marked.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { OneVisionError } from '../../core/errors.ts';
import { tokenizerHash } from '../../pack/lengths.ts';
import { openPacks } from '../../pack/read.ts';
import { previewPack, type SegmentPreview, type TokenRun } from '../../pack/report/preview.ts';
import { MANIFEST, readManifest } from '../../sample/manifest.ts';
import { loadTokenizer } from '../../text/tokenizer.ts';

export interface PackPreviewOptions {
  readonly pack: number;
  readonly tokenizer?: string;
  readonly json?: boolean;
}

/** Whether a folder holds packs and not samples. */
export function holdsPacks(dir: string): boolean {
  return existsSync(join(dir, MANIFEST)) && readManifest(dir).kind === 'packs';
}

export async function printPack(dir: string, options: PackPreviewOptions): Promise<void> {
  using packs = openPacks(dir);
  if (options.pack >= packs.numPacks) {
    throw new OneVisionError(
      'usage',
      `expected a pack below ${packs.numPacks} of ${dir}, came ${options.pack}`,
    );
  }
  const folder = options.tokenizer ?? join(dir, '..', '..', 'data', 'tokenizer');
  const tokenizer = loadTokenizer(folder);
  if (tokenizerHash(folder) !== packs.facts.tokenizer) {
    throw new OneVisionError('data', `expected the tokenizer of ${dir}, came another: ${folder}`, {
      hint: 'give the folder of the tokenizer it was packed with: --tokenizer',
    });
  }
  const pack = packs.read(options.pack);
  const segments = await previewPack(pack, tokenizer, packs.facts.processor);
  if (options.json) console.log(JSON.stringify({ key: pack.key, segments }));
  else for (const segment of segments) printSegment(segment);
}

function printSegment({ uid, source, tokens, numTrained, runs }: SegmentPreview): void {
  console.log(`── ${uid} (${source}): ${tokens} tokens, ${numTrained} trained`);
  console.log(`${runs.map(mark).join('')}`);
}

/** Green on a terminal; elsewhere between double brackets. */
function mark({ text, isTrained }: TokenRun): string {
  if (!isTrained) return text;
  return process.stdout.isTTY ? `\u001b[30;42m${text}\u001b[0m` : `⟦${text}⟧`;
}
