// All reports of one measurement: results.json, the table as Markdown and LaTeX, the page with its
// viewer, and the files that lmms-eval would have written.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { ensureFolder, writeFileAtomic } from '../../core/files.ts';
import type { Benchmark } from '../benchmark.ts';
import { readItems } from '../data/open-items.ts';
import type { ItemResult, Summary } from '../outcome.ts';
import { readResults } from '../run/shard.ts';
import { htmlPage, type ViewedItem } from './html-page.ts';
import { lmmsResults, lmmsSample, lmmsTask } from './lmms-json.ts';
import { notesOf, paperTable, paperTableCells, type TableOptions } from './paper-table.ts';
import { writeResults } from './report.ts';

export interface ReportsOptions extends TableOptions {
  /** For people: folder or name of the model. */
  readonly model: string;
  readonly benchmarks: readonly Benchmark[];
  readonly summaries: readonly Summary[];
  /** Folder of the data, for the pictures. */
  readonly data: string;
  /** Items of each benchmark in the page. Default 100. */
  readonly itemsEach?: number;
}

const THUMBNAIL = 200;

/** Writes the reports into the folder that holds `<benchmark>/samples.jsonl`. */
export async function writeReports(folder: string, options: ReportsOptions): Promise<void> {
  const { model, benchmarks, summaries, data, itemsEach = 100 } = options;
  ensureFolder(folder);
  await writeResults(folder, model, summaries);
  const write = (name: string, text: string): Promise<void> =>
    writeFileAtomic(join(folder, name), `${text}\n`);
  await write('report.md', `# ${model}\n\n${paperTable(summaries, 'markdown', options)}`);
  await write('report.tex', paperTable(summaries, 'latex', options));
  await write('lmms_results.json', JSON.stringify(lmmsResults(model, summaries), null, 2));
  const items: ViewedItem[] = [];
  let numAll = 0;
  for (const benchmark of benchmarks) {
    const file = join(folder, benchmark.name, 'samples.jsonl');
    if (!existsSync(file)) continue;
    const rows = readResults(file);
    numAll += rows.length;
    const samples = rows.map((row, index) => JSON.stringify(lmmsSample(row, index))).join('\n');
    await write(`lmms_samples_${lmmsTask(benchmark.name)}.jsonl`, samples);
    items.push(...(await viewed(benchmark, rows.slice(0, itemsEach), data)));
  }
  const notes = summaries.flatMap(notesOf);
  const table = paperTableCells(summaries, options);
  const numLeftOut = numAll - items.length;
  await writeFileAtomic(
    join(folder, 'report.html'),
    htmlPage({ title: `Evaluation of ${model}`, table, notes, items, numLeftOut }),
  );
}

/** The first items as they were asked, with small pictures. */
async function viewed(
  benchmark: Benchmark,
  rows: readonly ItemResult[],
  data: string,
): Promise<ViewedItem[]> {
  const wanted = new Map(rows.map((row) => [row.uid, row]));
  const items: ViewedItem[] = [];
  if (wanted.size === 0) return items;
  for await (const { uid, images } of readItems(benchmark, data)) {
    const row = wanted.get(uid);
    if (row === undefined) continue;
    const pictures = await Promise.all(images.map(({ bytes }) => thumbnail(bytes)));
    items.push(viewedItem(benchmark.title, row, pictures));
    if (items.length === wanted.size) break;
  }
  return items;
}

function viewedItem(title: string, row: ItemResult, pictures: readonly string[]): ViewedItem {
  const { uid, question, answer, prediction, parsed = '', outcome, reason = '', reply } = row;
  const marks = Object.entries(reply?.marks ?? {}).map(([name, mark]) => [name, mark.outcome]);
  return {
    benchmark: title,
    uid,
    images: pictures.filter((address) => address !== ''),
    question: question.replaceAll('<image>', '').trim(),
    answer,
    prediction,
    parsed,
    outcome,
    reason,
    marks: Object.fromEntries(marks),
  };
}

/** Empty for a picture that cannot be shown: the item says why. */
async function thumbnail(bytes: Uint8Array): Promise<string> {
  try {
    const size = {
      width: THUMBNAIL,
      height: THUMBNAIL,
      fit: 'inside',
      withoutEnlargement: true,
    } as const;
    const jpeg = await sharp(bytes).resize(size).flatten({ background: '#fff' }).jpeg().toBuffer();
    return `data:image/jpeg;base64,${jpeg.toString('base64')}`;
  } catch {
    return '';
  }
}
