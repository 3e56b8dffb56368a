// The column of published numbers by the name of its model.
import { OneVisionError } from '../../core/errors.ts';
import { PUBLISHED, PUBLISHED_MODELS } from '../../eval/published.ts';
import type { TableOptions } from '../../eval/report/paper-table.ts';

/** @throws OneVisionError 'usage' for a model whose numbers are not known; `none` is no column */
export function publishedOf(name: string): TableOptions['published'] {
  if (name === 'none') return undefined;
  const place = (PUBLISHED_MODELS as readonly string[]).indexOf(name);
  if (place < 0) {
    const known = PUBLISHED_MODELS.join(', ');
    throw new OneVisionError('usage', `Expected --beside none, ${known}; got ${name}.`);
  }
  const values = PUBLISHED.map((row) => [row.benchmark, row.values[place] ?? Number.NaN] as const);
  return { title: name, values: Object.fromEntries(values) };
}
