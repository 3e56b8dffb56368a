// How uneven concept counts are, as numbers and as text bars. Pure.

export interface ConceptStatistics {
  /** Different concepts. */
  readonly concepts: number;
  /** Sum of their counts. */
  readonly occurrences: number;
  /** 0 = all equally frequent, towards 1 = one has everything. */
  readonly gini: number;
  /** Share of all occurrences that the most frequent 1 % of the concepts have. */
  readonly topShare: number;
  /** Concepts that occur once. */
  readonly singletons: number;
}

/** Figures of the counts of concepts; zeros are left out. */
export function describeConcepts(counts: Uint32Array): ConceptStatistics {
  const values = ascending(counts);
  const occurrences = values.reduce((sum, count) => sum + count, 0);
  const numTop = Math.ceil(values.length / 100);
  const top = values.slice(values.length - numTop).reduce((sum, count) => sum + count, 0);
  return {
    concepts: values.length,
    occurrences,
    gini: gini(values),
    topShare: occurrences === 0 ? 0 : top / occurrences,
    singletons: values.reduce((sum, count) => sum + (count === 1 ? 1 : 0), 0),
  };
}

function ascending(counts: Uint32Array): Uint32Array {
  return counts.filter((count) => count > 0).sort();
}

/** [rank, count] of the concepts by falling count, at ranks that grow by an eighth of an octave. */
export function rankFrequency(counts: Uint32Array): [rank: number, count: number][] {
  const values = ascending(counts).reverse();
  const points: [number, number][] = [];
  for (
    let rank = 1;
    rank <= values.length;
    rank = Math.max(rank + 1, Math.round(rank * 2 ** 0.125))
  )
    points.push([rank, values[rank - 1] ?? 0]);
  return points;
}

/** G = Σ (2i − n − 1) x_i / (n Σ x), x ascending, i from 1; 0 for an empty list. */
export function gini(ascending: Uint32Array | readonly number[]): number {
  const n = ascending.length;
  let [total, weighted] = [0, 0];
  for (const [i, value] of ascending.entries()) {
    total += value;
    weighted += (2 * (i + 1) - n - 1) * value;
  }
  if (total === 0) return 0;
  return weighted / (n * total);
}

/** Concepts by how often they occur: 1, 2–3, 4–7, … */
export function frequencyClasses(counts: Uint32Array): number[] {
  const classes: number[] = [];
  for (const count of counts) {
    if (count <= 0) continue;
    const index = Math.floor(Math.log2(count));
    while (classes.length <= index) classes.push(0);
    classes[index] = (classes[index] ?? 0) + 1;
  }
  return classes;
}

const BAR_WIDTH = 24;

/** Two histograms side by side, one line a frequency class, bars to one common scale. */
export function drawHistograms(before: Uint32Array, after: Uint32Array): string[] {
  const left = frequencyClasses(before);
  const right = frequencyClasses(after);
  const most = Math.max(1, ...left, ...right);
  const bar = (count: number): string => {
    const text = '█'.repeat(count === 0 ? 0 : Math.max(1, Math.round((BAR_WIDTH * count) / most)));
    return `${String(count).padStart(6)} ${text.padEnd(BAR_WIDTH)}`;
  };
  const rows = Array.from({ length: Math.max(left.length, right.length) }, (_, i) => {
    const range = i === 0 ? '1' : `${2 ** i}–${2 ** (i + 1) - 1}`;
    return `${range.padStart(11)} ${bar(left[i] ?? 0)}${bar(right[i] ?? 0)}`.trimEnd();
  });
  const head = `${'samples'.padStart(11)} ${'concepts before'.padEnd(BAR_WIDTH + 7)}concepts after`;
  return [head, ...rows];
}
