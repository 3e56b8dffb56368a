// Debian's openclipart-svg: drawings with web-like titles in several languages, noise and all.
import { readdirSync, readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { packageFolder } from './packages.ts';
import { byUid, type Picture } from './picture.ts';

export const OPENCLIPART_PACKAGE = 'openclipart-svg';
const ROOT = 'usr/share/openclipart/svg';

/**
 * The drawings that are marked as public domain. Titles and keywords stay as they are, boilerplate
 * included: cleaning them is curation's work, and must be measurable.
 */
export function listOpenclipart(): Picture[] {
  const root = join(packageFolder(OPENCLIPART_PACKAGE), ROOT);
  const entries = readdirSync(root, { recursive: true, withFileTypes: true });
  const pictures = entries
    .filter((entry) => entry.isFile() && entry.name.endsWith('.svg')) // symlinks are left out
    .flatMap((entry) => {
      const path = join(entry.parentPath, entry.name);
      const work = readWork(readFileSync(path, 'utf8'));
      if (!work.isPublicDomain) return [];
      const name = relative(root, path).slice(0, -'.svg'.length);
      const picture: Picture = {
        uid: `openclipart:${name}`,
        source: 'openclipart',
        group: `oca:${name}`,
        label: work.title,
        tags: work.keywords,
        meta: { style: 'openclipart', description: work.description },
        load: () => readFile(path),
      };
      return [picture];
    });
  return pictures.sort(byUid);
}

export interface ClipartWork {
  readonly title: string;
  readonly description: string;
  readonly keywords: readonly string[];
  readonly isPublicDomain: boolean;
}

/** The Dublin Core fields of an SVG's RDF block. Missing fields are empty. */
export function readWork(svg: string): ClipartWork {
  const rdf = /<rdf:RDF[\s\S]*?<\/rdf:RDF>/.exec(svg)?.[0] ?? '';
  const subject = /<dc:subject>([\s\S]*?)<\/dc:subject>/.exec(rdf)?.[1] ?? '';
  const keywords = [...subject.matchAll(/<rdf:li>([\s\S]*?)<\/rdf:li>/g)].map((m) =>
    decodeEntities(m[1] ?? ''),
  );
  const license = /<cc:license\s+rdf:resource="([^"]*)"/.exec(rdf)?.[1] ?? '';
  return {
    title: field(rdf, 'title'),
    description: field(rdf, 'description'),
    // Leaked Perl references: `HASH(0x8a07724)`.
    keywords: keywords.filter((word) => word !== '' && !/^(hash|0x)/i.test(word)),
    isPublicDomain: /publicdomain/i.test(license),
  };
}

function field(rdf: string, name: string): string {
  return decodeEntities(new RegExp(`<dc:${name}>([^<]*)</dc:${name}>`).exec(rdf)?.[1] ?? '');
}

const ENTITIES: Readonly<Record<string, string>> = {
  amp: '&',
  lt: '<',
  gt: '>',
  quot: '"',
  apos: "'",
};

/** Twice: in this package `&amp;#39;` stands for an apostrophe. */
function decodeEntities(text: string): string {
  const once = (input: string): string =>
    input.replaceAll(/&(#x?[0-9a-f]+|[a-z]+);/gi, (whole, code: string) => {
      if (!code.startsWith('#')) return ENTITIES[code.toLowerCase()] ?? whole;
      const isHex = code[1] === 'x' || code[1] === 'X';
      const point = Number.parseInt(code.slice(isHex ? 2 : 1), isHex ? 16 : 10);
      return point > 0 && point <= 0x10ffff ? String.fromCodePoint(point) : whole;
    });
  return once(once(text)).replaceAll(/\s+/g, ' ').trim();
}
