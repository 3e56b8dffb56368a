// From a curated folder to its report page.
import { basename, dirname, join } from 'node:path';
import { writeFileAtomic } from '../../core/files.ts';
import { sourceSpecSchema } from '../../sample/sources/source.ts';
import { readReport } from '../report/report-file.ts';
import { reportPage } from './page.ts';
import { loadThumbnails, type Thumbnails } from './thumbnails.ts';

export const PAGE = 'report.html';

/**
 * Write `report.html` beside the curated samples. Pictures come from the input; without it the page
 * has their captions alone.
 *
 * @returns the path of the page and how many pictures are in it.
 * @throws OneVisionError 'data' when the folder was not curated.
 */
export async function writePage(
  dir: string,
): Promise<{ readonly path: string; readonly numPictures: number }> {
  const report = readReport(dir);
  const spec = sourceSpecSchema.parse(report.input);
  const examples = Object.values(report.examples).flat();
  const none: Thumbnails = new Map();
  const thumbnails = await loadThumbnails(spec, examples).catch(() => none);
  const path = join(dir, PAGE);
  const name = spec.name ?? `${basename(dirname(spec.path))}/${basename(spec.path)}`;
  await writeFileAtomic(path, reportPage(report, name, thumbnails));
  return { path, numPictures: thumbnails.size };
}
