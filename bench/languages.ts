// Concepts in many languages on real texts: the stamps of Tux Paint, whose sentences people have
// translated, and the names and tags of emoji in 28 languages. Matched with a list that knows emoji by
// their names, balanced with one tail share.
//   node bench/languages.ts [tail share]     after `npm run setup -- --corpus full`
import { globSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { balanceColumns } from '../src/curate/balance/balance-columns.ts';
import { buildConcepts } from '../src/curate/concepts/build/build.ts';
import { loadConceptFolder, readConceptEntries } from '../src/curate/concepts/list-file.ts';
import { matchSource } from '../src/curate/concepts/match-source.ts';
import { balanceSchema } from '../src/curate/config.ts';
import { openColumns, sqlText } from '../src/sample/columns.ts';
import { readEmojiNames } from '../src/sample/corpus/emojibase.ts';
import { captionOf } from '../src/sample/corpus/picture.ts';
import { listTuxpaint } from '../src/sample/corpus/tuxpaint.ts';
import type { Sample } from '../src/sample/sample.ts';

interface Text {
  /** Equal for what says the same in other languages. */
  readonly key: string;
  readonly source: 'emoji' | 'stamps';
  readonly language: string;
  readonly text: string;
}

/** What the names of emoji call the two ways to write Chinese. */
const CODES: Readonly<Record<string, string>> = { zh_CN: 'zh', zh_TW: 'zh-hant' };
/** Languages with fewer are left out of the table. */
const MIN_TEXTS = 600;

const root = mkdtempSync(join(tmpdir(), 'onevision-languages-'));
process.on('exit', () => rmSync(root, { recursive: true, force: true }));

function* texts(): Generator<Text, void, undefined> {
  for (const { key, language, label, tags } of readEmojiNames()) {
    yield { key, source: 'emoji', language, text: captionOf(label, tags) };
  }
  for (const { uid: key, label, meta } of listTuxpaint()) {
    const labels = { en: label, ...(meta['labels'] as Record<string, string>) };
    for (const [language, text] of Object.entries(labels)) {
      yield { key, source: 'stamps', language: CODES[language] ?? language, text };
    }
  }
}

function sampleOf({ key, source, language, text }: Text): Sample {
  return {
    uid: `${source}|${language}|${key}`,
    source,
    group: key,
    split: 'train',
    messages: [
      { role: 'user', content: 'What is it?' },
      { role: 'assistant', content: text },
    ],
    images: [],
    meta: { language },
  };
}

/** uid → concepts */
async function conceptsOf(rows: string): Promise<Map<string, readonly number[]>> {
  using columns = await openColumns();
  const found = new Map<string, readonly number[]>();
  const sql = `SELECT uid, concepts FROM read_parquet(${sqlText(rows)})`;
  for await (const batch of columns.batches(sql)) {
    for (const row of batch) found.set(String(row['uid']), row['concepts'] as number[]);
  }
  return found;
}

const all = [...texts()];
const data = join(root, 'texts.jsonl');
writeFileSync(data, all.map((text) => `${JSON.stringify(sampleOf(text))}\n`).join(''));
const list = join(root, 'list');
const names = join(root, 'names.jsonl');
const english = [...readEmojiNames()].filter(({ language }) => language === 'en');
const labelled = english.map(({ key, label }) => ({
  ...sampleOf({ key, source: 'emoji', language: 'en', text: label }),
  meta: { label },
}));
writeFileSync(names, labelled.map((sample) => `${JSON.stringify(sample)}\n`).join(''));
const built = await buildConcepts({
  input: names,
  output: list,
  translations: 'emoji',
  config: { minLabelCount: 1 },
});
console.log('list:', JSON.stringify(built.counts));
const concepts = loadConceptFolder(list);
const rows = join(root, 'rows');
await matchSource({ input: data, output: rows, concepts: { list } });
const found = await conceptsOf(join(rows, 'rows-*.parquet'));
const config = balanceSchema.parse({
  rule: 'metaclip-t',
  tailShare: Number(process.argv[2] ?? 0.06),
});
const balanced = await balanceColumns({
  files: globSync(join(rows, 'rows-*.parquet')),
  output: join(root, 'balanced'),
  numConcepts: concepts.size,
  config,
  seed: 0,
  columns: { language: 'language' },
});
const t = balanced.stats?.['t'] as Record<string, number>;
const kept = await keptBy(join(root, 'balanced', 'selection-*.parquet'));

async function keptBy(path: string): Promise<Map<string, number>> {
  using columns = await openColumns();
  const counts = new Map<string, number>();
  for await (const batch of columns.batches(`SELECT uid FROM read_parquet(${sqlText(path)})`)) {
    for (const { uid } of batch) {
      const language = String(uid).split('|')[1] ?? '';
      counts.set(language, (counts.get(language) ?? 0) + 1);
    }
  }
  return counts;
}

const nameOf = new Map(english.map(({ key, name }) => [key, name.toLowerCase()]));
const entries = readConceptEntries(list);
/** Whether a concept has a name in a language. */
const isNamed = (id: number, language: string): boolean =>
  entries[id]?.labels?.[language] !== undefined;
const conceptsIn = (text: Text): readonly number[] => found.get(sampleOf(text).uid) ?? [];
const share = (values: readonly boolean[]): string =>
  values.length === 0
    ? '–'
    : `${((100 * values.filter(Boolean).length) / values.length).toFixed(0)} % of ${values.length}`;

/** Of the names of a concept that are in a text, or ''. */
function longestName(id: number, { language, text }: Text): string {
  const names = entries[id]?.labels?.[language] ?? [];
  const found = names.filter((name) => text.toLowerCase().includes(name));
  return found.reduce((longest, name) => (name.length > longest.length ? name : longest), '');
}

/** One line of the table. */
function line(language: string, own: readonly Text[]): string {
  const emoji = own.filter(({ source }) => source === 'emoji');
  const hits = emoji.map((text) =>
    conceptsIn(text).some((id) => concepts.names[id] === nameOf.get(text.key)),
  );
  const pairs = own.flatMap((text) => {
    const here = conceptsIn(text);
    const there = conceptsIn({ ...text, language: 'en' });
    return text.source === 'stamps' ? [{ text, here, there }] : [];
  });
  // What the English sentence names, and has a name here too: is it found?
  const recall = pairs.flatMap(({ here, there }) => {
    const known = there.filter((id) => isNamed(id, language));
    return known.length === 0 ? [] : [known.some((id) => here.includes(id))];
  });
  // What is found: does the English sentence name it?
  const precision = pairs.flatMap(({ here, there }) =>
    here.length === 0 || there.length === 0 ? [] : [here.some((id) => there.includes(id))],
  );
  // Where English names none of it: is the name one character, as a part of another word may be?
  const short = pairs.flatMap(({ text, here, there }) =>
    there.length === 0 || here.some((id) => there.includes(id))
      ? []
      : here.map((id) => longestName(id, text).length === 1),
  );
  const cells = [share(hits), share(recall), share(precision), share(short)];
  return `| ${[language, own.length, ...cells, t[language] ?? '–', kept.get(language) ?? 0].join(' | ')} |`;
}

console.log(
  '| language | texts | own emoji found | stamps: found of what English names | ' +
    'stamps: named in English of what is found | names of one character of the others | t | kept |',
);
for (const [language, own] of Map.groupBy(all, (text) => text.language)) {
  if (own.length >= MIN_TEXTS) console.log(line(language, own));
}
