// A concept list on disk for tests, of names given by hand.
import { ensureFolder } from '../../src/core/files.ts';
import { type ConceptEntry, writeConceptList } from '../../src/curate/concepts/list-file.ts';
import { writeManifest } from '../../src/sample/manifest.ts';

/** A list as `onevision concepts build` leaves it; the names in it have no count. */
export async function writeConceptFolder(
  dir: string,
  concepts: readonly Pick<ConceptEntry, 'name' | 'labels'>[],
): Promise<string> {
  ensureFolder(dir);
  const entries = concepts.map((concept) => ({ from: 'word' as const, count: 0, ...concept }));
  const file = await writeConceptList(dir, entries);
  await writeManifest(dir, {
    format: 'onevision/1',
    kind: 'concepts',
    stage: 'concepts',
    configHash: 'test',
    counts: { concepts: entries.length },
    files: [{ ...file, sha256: '0'.repeat(64) }],
    stats: {},
  });
  return dir;
}
