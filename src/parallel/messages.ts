// Small facts between ranks: numbers and JSON values, exchanged whole. Not for tensors of a model.

import { fromArray, tidy } from '../tensor/index.ts';
import { allGather } from './collectives.ts';
import type { ProcessGroup } from './process-group.ts';

/** Every rank's value, in order of the ranks. Values are what JSON can hold. */
export function exchange<T>(value: T, group: ProcessGroup, label: string): T[] {
  const bytes = new TextEncoder().encode(JSON.stringify(value));
  const lengths = gather(Float64Array.of(bytes.length), group, label) as Float64Array;
  const longest = Math.max(...lengths);
  const padded = new Uint8Array(longest);
  padded.set(bytes);
  const all = gather(padded, group, label) as Uint8Array;
  return Array.from(lengths, (length, rank) => {
    const start = rank * longest;
    const text = new TextDecoder().decode(all.subarray(start, start + length));
    return JSON.parse(text) as T;
  });
}

/** Sums of numbers over all ranks, added in order of the ranks: the same bits everywhere. */
export function sumOver(values: readonly number[], group: ProcessGroup, label: string): number[] {
  const all = gather(Float64Array.from(values), group, label) as Float64Array;
  return values.map((_, i) => {
    let sum = 0;
    for (let rank = 0; rank < group.size; rank += 1) sum += all[rank * values.length + i] ?? 0;
    return sum;
  });
}

/** Returns when all ranks have called it. */
export function barrier(group: ProcessGroup, label: string): void {
  gather(Float64Array.of(0), group, label);
}

function gather(
  part: Float64Array | Uint8Array,
  group: ProcessGroup,
  label: string,
): ReturnType<ReturnType<typeof fromArray>['toArray']> {
  const { traffic } = group;
  const before = traffic.waitMs;
  const all = tidy(() =>
    allGather(fromArray(part, [part.length]), group, label)
      .wait()
      .toArray(),
  );
  traffic.messageMs += traffic.waitMs - before;
  return all;
}
