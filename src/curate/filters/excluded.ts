// Drops samples that the source itself marks as something else than a picture of a thing.
import { atMost, type Filter } from './filter.ts';

/** Score: 1 when a field of `meta` has one of the values to leave out. */
export function excluded(values: Readonly<Record<string, readonly string[]>>): Filter {
  return atMost('excluded', 0, ({ labels }) =>
    Object.entries(values).some(([field, list]) => list.includes(labels[field] ?? '')) ? 1 : 0,
  );
}
