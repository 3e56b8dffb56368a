// Debian's pysiogame: 585 drawings of single words. Fetched where wanted, never handed on.
import { readdirSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { packageFolder } from './packages.ts';
import { byUid, type Picture } from './picture.ts';

export const PYSIOGAME_PACKAGE = 'pysiogame';
const ROOT = 'usr/share/games/pysiogame/res/images/art4apps';

/** One picture for each word; the category is its tag. */
export function listPysiogame(): Picture[] {
  const root = join(packageFolder(PYSIOGAME_PACKAGE), ROOT);
  const folders = readdirSync(root, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  const pictures = folders.flatMap(({ name: folder }) => {
    const files = readdirSync(join(root, folder)).filter((file) => file.endsWith('.jpg'));
    return files.map((file): Picture => {
      const stem = file.slice(0, -'.jpg'.length);
      const category = folder.replaceAll('_n_', ' and ').replaceAll('_', ' ');
      return {
        uid: `pysiogame:${folder}/${stem}`,
        source: 'pysiogame',
        group: `pys:${stem}`,
        label: stem.replaceAll('_', ' '),
        tags: [category],
        meta: { style: 'pysiogame', category },
        load: () => readFile(join(root, folder, file)),
      };
    });
  });
  return pictures.sort(byUid);
}
