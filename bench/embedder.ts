// How well an embedder finds the name of a picture that it has not seen, and how far the concepts it
// gives agree with those of the caption. Held-out sides (val, test) of the embedded pictures.
//   node bench/embedder.ts [packaged | model folder]     after `npm run setup -- --corpus full`
import { openEmbedder, PACKAGED } from '../src/cli/embed/open-embedder.ts';
import { BRIDGE_STYLES, plainEmoji } from '../src/cli/embed/packaged/packaged.ts';
import { torchProduct } from '../src/cli/embed/torch-product.ts';
import { loadConceptList } from '../src/curate/concepts/load.ts';
import { curateSchema } from '../src/curate/config.ts';
import type { Embedder } from '../src/curate/embed/embedder.ts';
import { type ConceptSearch, createConceptSearch } from '../src/curate/match/top-k.ts';
import { clusterInterval, wilsonInterval } from '../src/eval/statistics/intervals.ts';
import { STYLE_NAMES } from '../src/sample/corpus/config.ts';
import { hasPackage } from '../src/sample/corpus/packages.ts';
import { captionOf, type Picture } from '../src/sample/corpus/picture.ts';
import { listTuxpaint, TUXPAINT_PACKAGE } from '../src/sample/corpus/tuxpaint.ts';
import { splitOf } from '../src/sample/split.ts';

const RECALLS = [1, 5, 10];
const TOPS = [1, 5, 16];
const AT_ONCE = 64;
const TEMPLATE = 'a photo of {}';

interface HeldOut {
  readonly name: string;
  readonly pictures: readonly Picture[];
  /** [pictures, dim] */
  readonly vectors: Float32Array;
}

async function embedAll<Item>(
  items: readonly Item[],
  dim: number,
  embed: (some: readonly Item[]) => Promise<Float32Array>,
): Promise<Float32Array> {
  const out = new Float32Array(items.length * dim);
  for (let at = 0; at < items.length; at += AT_ONCE) {
    out.set(await embed(items.slice(at, at + AT_ONCE)), at * dim);
  }
  return out;
}

async function heldOut(embedder: Embedder): Promise<HeldOut[]> {
  const sets: { name: string; pictures: readonly Picture[] }[] = STYLE_NAMES.map((style) => ({
    name: BRIDGE_STYLES.includes(style) ? style : `${style} (unseen style)`,
    pictures: plainEmoji(style),
  }));
  if (hasPackage(TUXPAINT_PACKAGE)) sets.push({ name: 'tuxpaint', pictures: listTuxpaint() });
  const found: HeldOut[] = [];
  for (const { name, pictures: all } of sets) {
    const pictures = all.filter(({ group }) => splitOf(group) !== 'train');
    const vectors = await embedAll(pictures, embedder.dim, async (some) =>
      embedder.embedImages(await Promise.all(some.map((picture) => picture.load()))),
    );
    found.push({ name, pictures, vectors });
  }
  return found;
}

/** Of the distinct labels of a set: is a picture's own among the k nearest? */
async function showRecall(embedder: Embedder, sets: readonly HeldOut[]): Promise<void> {
  console.log(
    `| pictures | n | names | ${RECALLS.map((k) => `R@${k}`).join(' | ')} | median rank |`,
  );
  for (const { name, pictures, vectors } of sets) {
    const labels = [...new Set(pictures.map(({ label }) => label))];
    const texts = await embedAll(labels, embedder.dim, (some) => embedder.embedTexts(some));
    const search = createConceptSearch(texts, embedder.dim, torchProduct());
    const { ids } = search.search(vectors, labels.length);
    const ranks = pictures.map(({ label }, row) =>
      ids.subarray(row * labels.length, (row + 1) * labels.length).indexOf(labels.indexOf(label)),
    );
    const cells = RECALLS.map((k) => {
      const hits = ranks.filter((rank) => rank < k).length;
      const { low, high } = wilsonInterval(hits, ranks.length);
      return `${percent(hits / ranks.length)} (${percent(low)}–${percent(high)})`;
    });
    const median = 1 + (ranks.toSorted((a, b) => a - b)[ranks.length >> 1] ?? 0);
    console.log([`| ${name}`, ranks.length, labels.length, ...cells, `${median} |`].join(' | '));
  }
}

/** Of the list's concepts: how many of the k nearest does the caption name, how many of its names come? */
function showAgreement(
  { pictures, vectors, name }: HeldOut,
  list: ReturnType<typeof loadConceptList>,
  search: ConceptSearch,
): void {
  const most = Math.max(...TOPS);
  const { ids } = search.search(vectors, most);
  const rows = pictures.flatMap(({ label, tags, group }, row) => {
    const named = [...list.matcher.match(captionOf(label, tags))];
    const near = ids.slice(row * most, (row + 1) * most);
    return named.length === 0 ? [] : [{ named, near, group }];
  });
  const groups = rows.map(({ group }) => group);
  const cells = TOPS.flatMap((k) => {
    const hits = rows.map(
      ({ named, near }) =>
        named.filter((id) => near.indexOf(id, 0) >= 0 && near.indexOf(id) < k).length,
    );
    const precision = hits.map((count) => count / k);
    const recall = hits.map((count, i) => count / (rows[i]?.named.length ?? 1));
    return [precision, recall].map((values) => {
      const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
      const { low, high } = clusterInterval(values, groups);
      return `${percent(mean)} (${percent(low)}–${percent(high)})`;
    });
  });
  const named = rows.reduce((sum, row) => sum + row.named.length, 0) / rows.length;
  console.log([`| ${name}`, rows.length, named.toFixed(1), ...cells].join(' | '), '|');
}

function percent(share: number): string {
  return (100 * share).toFixed(1);
}

const started = performance.now();
const begun = process.cpuUsage();
const seconds = (): string => {
  const { user, system } = process.cpuUsage(begun);
  const wall = (performance.now() - started) / 1000;
  return `${((user + system) / 1e6).toFixed(0)} s of processor, ${wall.toFixed(0)} s by the clock`;
};
const embedder = await openEmbedder(process.argv[2] ?? PACKAGED);
console.log(`${embedder.name}: opened after ${seconds()}`);
const sets = await heldOut(embedder);
await showRecall(embedder, sets);
const list = loadConceptList(curateSchema.parse({}).concepts);
const names = await embedAll(list.names, embedder.dim, (some) =>
  embedder.embedTexts(some.map((name) => TEMPLATE.replace('{}', name))),
);
console.log(`${list.size} names embedded after ${seconds()}`);
const search = createConceptSearch(names, embedder.dim, torchProduct());
const heads = TOPS.flatMap((k) => [`precision of ${k}`, `recall of ${k}`]).join(' | ');
console.log(`| pictures | n | concepts in the caption | ${heads} |`);
for (const set of sets) showAgreement(set, list, search);
await embedder.close();
