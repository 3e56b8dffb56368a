// Opens a source of samples by what its files are.

import type { Source, SourceSpec } from './source.ts';
import { openWebdataset } from './webdataset.ts';

/**
 * Open a folder (or one file) of samples.
 * @throws OneVisionError 'data' when nothing there is a source.
 */
export function openSource(spec: SourceSpec | string): Promise<Source> {
  const given = typeof spec === 'string' ? { path: spec } : spec;
  return Promise.resolve(openWebdataset(given));
}
