// Counts by name, before and after curation.

export interface Tally {
  /** Once before, `copies` times after. */
  add(name: string, copies: number): void;
  /** [name, before, after], most frequent first. */
  byCount(): [string, number, number][];
  /** The same by name, numbers as numbers. */
  byName(): [string, number, number][];
}

export function createTally(): Tally {
  const counts = new Map<string, [before: number, after: number]>();
  const entries = (): [string, number, number][] =>
    [...counts].map(([name, [before, after]]) => [name, before, after]);
  return {
    add: (name, copies) => {
      const count = counts.get(name);
      if (count === undefined) counts.set(name, [1, copies]);
      else {
        count[0] += 1;
        count[1] += copies;
      }
    },
    byCount: () => entries().sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1)),
    byName: () => entries().sort(([a], [b]) => a.localeCompare(b, 'en', { numeric: true })),
  };
}
