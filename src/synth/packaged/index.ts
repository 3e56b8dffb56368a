// The project's own evaluation sets, made of packages: every one by its name, and the stage that makes
// them.
import { chartSet } from './chart/chart.ts';
import { captioningSet } from './emoji/captioning.ts';
import { countingSet } from './emoji/counting.ts';
import { groundingSet } from './emoji/grounding.ts';
import { flagSet } from './flag/flag.ts';
import { mapSet } from './map/map.ts';
import { ocrSet } from './ocr.ts';
import type { PackagedSet } from './set.ts';

export { makePackagedSet, packagedFolder } from './make.ts';
export type { PackagedSet } from './set.ts';

export const PACKAGED_SETS: readonly PackagedSet[] = [
  chartSet,
  mapSet,
  flagSet,
  ocrSet,
  countingSet,
  groundingSet,
  captioningSet,
];
