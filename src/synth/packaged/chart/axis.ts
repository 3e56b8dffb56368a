// The axis of values: round steps that hold all of them. Pure.

export interface Axis {
  readonly low: number;
  readonly high: number;
  readonly step: number;
  readonly ticks: readonly number[];
}

/** Four to nine round steps from zero, or below it, to the largest value. */
export function axisOf(values: readonly number[]): Axis {
  const [least, most] = [Math.min(0, ...values), Math.max(0, ...values)];
  const rough = (most - least || 1) / 5;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = ([1, 2, 5, 10].find((factor) => factor * power >= rough) ?? 10) * power;
  const first = Math.floor(least / step);
  const last = Math.ceil(most / step + 0.05);
  const ticks = Array.from({ length: last - first + 1 }, (_, place) =>
    clean((first + place) * step),
  );
  return { low: first * step, high: last * step, step, ticks };
}

/** Without the dust of binary fractions. */
export function clean(value: number): number {
  return Number(value.toPrecision(10));
}
