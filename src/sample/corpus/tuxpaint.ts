// Debian's tuxpaint-stamps-default: drawings and cut-out photographs, each with a sentence.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import { packageFolder } from './packages.ts';
import { byUid, type Picture } from './picture.ts';

export const TUXPAINT_PACKAGE = 'tuxpaint-stamps-default';
const ROOT = 'usr/share/tuxpaint/stamps';

/** The stamps that have an English sentence and a picture. */
export function listTuxpaint(): Picture[] {
  const root = join(packageFolder(TUXPAINT_PACKAGE), ROOT);
  const names = readdirSync(root, { recursive: true, encoding: 'utf8' });
  return names
    .filter((name) => name.endsWith('.txt'))
    .flatMap((name) => readStamp(root, join(root, name.slice(0, -'.txt'.length))))
    .sort(byUid);
}

function readStamp(root: string, stem: string): Picture[] {
  const path = [`${stem}.png`, `${stem}.svg`].find((candidate) => existsSync(candidate));
  const [first = '', ...others] = readFileSync(`${stem}.txt`, 'utf8').split('\n');
  const label = first.trim();
  if (path === undefined || label === '') return [];
  const name = relative(root, stem).split(sep).join('/');
  const flags = existsSync(`${stem}.dat`) ? readFileSync(`${stem}.dat`, 'utf8') : '';
  const category = name.split('/')[0] ?? '';
  const picture: Picture = {
    uid: `tuxpaint:${name}`,
    source: 'tuxpaint',
    group: `tux:${name}.txt`,
    label,
    tags: [category],
    meta: {
      style: 'tuxpaint',
      category,
      noFlip: /^nomirror\b/m.test(flags),
      labels: translations(others),
    },
    load: () => readFile(path),
  };
  return [picture];
}

/** Language → sentence, of lines such as `de.utf8=Eine Schere.` */
function translations(lines: readonly string[]): Record<string, string> {
  const found = lines.map((line) => /^([a-z]{2,3}(?:_\w+)?)\.utf8=(.+)$/.exec(line.trim()));
  const labels = found.flatMap((match) =>
    match === null ? [] : [[match[1] ?? '', match[2] ?? '']],
  );
  return Object.fromEntries(labels) as Record<string, string>;
}
