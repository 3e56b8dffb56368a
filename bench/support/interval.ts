// Mean and 95 % interval over seeds.

/** 97.5 % quantiles of Student's t with 1, 2, … degrees of freedom. */
const STUDENT = [
  12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.16, 2.145,
  2.131,
];

export interface Interval {
  readonly mean: number;
  /** Half the width of the 95 % interval of Student's t. */
  readonly half: number;
}

/** Of two values or more, one a seed. */
export function intervalOf(values: readonly number[]): Interval {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  const error = Math.sqrt(squares / (values.length - 1) / values.length);
  return { mean, half: (STUDENT[values.length - 2] ?? 1.96) * error };
}
