// Drops samples that the source itself marks as something else than a picture of a thing.
import type { Filter } from './filter.ts';

/** Score: 1 when a field of `meta` has one of the values to leave out. */
export function excluded(values: Readonly<Record<string, readonly string[]>>): Filter {
  return {
    name: 'excluded',
    score: ({ labels }) =>
      Object.entries(values).some(([field, list]) => list.includes(labels[field] ?? '')) ? 1 : 0,
    accepts: (score) => score === 0,
  };
}
