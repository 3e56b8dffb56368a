// The files of a source in an order that is the same everywhere.
import { readdirSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { hashConfig } from '../manifest.ts';

export interface SourceFile {
  /** Folder that the name is relative to. */
  readonly root: string;
  /** Path inside the root, with `/`. */
  readonly name: string;
  readonly bytes: number;
}

/** All plain files below a folder (links to files too), hidden ones left out, sorted by name. */
export function listFiles(root: string): SourceFile[] {
  const files: SourceFile[] = [];
  const visit = (inside: string): void => {
    for (const entry of readdirSync(join(root, inside), { withFileTypes: true })) {
      if (entry.name.startsWith('.')) continue;
      const name = inside === '' ? entry.name : `${inside}/${entry.name}`;
      if (entry.isDirectory()) visit(name);
      else if (entry.isFile() || entry.isSymbolicLink()) {
        const stat = statSync(join(root, name), { throwIfNoEntry: false });
        if (stat?.isFile() === true) files.push({ root, name, bytes: stat.size });
      }
    }
  };
  visit('');
  return files.sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** One file as a listing. */
export function oneFile(path: string): SourceFile {
  return { root: dirname(path), name: basename(path), bytes: statSync(path).size };
}

export function hashFiles(files: readonly SourceFile[]): string {
  return hashConfig(files.map(({ name, bytes }) => [name, bytes]));
}

/** Extension in lower case, without the dot; empty where there is none. */
export function extensionOf(name: string): string {
  return /\.([^./]+)$/.exec(name)?.[1]?.toLowerCase() ?? '';
}
