// Our statistics against scipy's and statsmodels' values.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { holm, mcnemarExact } from '../../src/eval/statistics/compare.ts';
import {
  clusterStandardError,
  macroStandardError,
  wilsonInterval,
} from '../../src/eval/statistics/intervals.ts';
import { normalCdf, normalQuantile } from '../../src/eval/statistics/normal.ts';
import { minimumDetectableDifference, powerOf } from '../../src/eval/statistics/power.ts';

type Row = [number, number, number, number];
interface Sample {
  readonly values: number[];
  readonly groups: string[];
  readonly clusters: string[];
  readonly error: number;
}
interface Golden {
  readonly wilson: Row[];
  readonly mcnemar: Row[];
  readonly clusters: Sample[];
  readonly macro: Sample[];
  readonly holm: { p: number[]; adjusted: number[] }[];
  readonly power: Row[];
  readonly detectable: Row[];
  readonly normal: Row[];
  readonly quantile: Row[];
}
const golden: Golden = JSON.parse(
  readFileSync(new URL('golden/statistics.json', import.meta.url), 'utf8'),
);

const near = (actual: number, expected: number, tolerance = 1e-10): void =>
  assert.ok(
    Math.abs(actual - expected) <= tolerance * Math.max(1e-300, Math.abs(expected)) + 1e-15,
    `${actual} is not near ${expected}`,
  );

test('Wilson intervals are statsmodels’', () => {
  for (const [k, n, low, high] of golden.wilson) {
    const interval = wilsonInterval(k, n);
    near(interval.low, low);
    near(interval.high, high);
  }
});

test('cluster-robust and macro errors are statsmodels’', () => {
  for (const { values, groups, error } of golden.clusters) {
    near(clusterStandardError(values, groups), error);
  }
  for (const { values, groups, clusters, error } of golden.macro) {
    near(macroStandardError(values, groups, clusters), error);
  }
});

test('exact McNemar and Holm are statsmodels’', () => {
  for (const [b, c, p] of golden.mcnemar) near(mcnemarExact(b, c), p);
  for (const { p, adjusted } of golden.holm) {
    holm(p).forEach((value, index) => {
      near(value, adjusted[index] ?? Number.NaN);
    });
  }
});

test('normal distribution, power and detectable difference are scipy’s and statsmodels’', () => {
  for (const [z, p] of golden.normal) near(normalCdf(z), p);
  for (const [p, z] of golden.quantile) near(normalQuantile(p), z, 1e-9);
  for (const [difference, deviation, n, power] of golden.power) {
    near(powerOf(difference, deviation, n), power, 1e-9);
  }
  for (const [deviation, n, power, difference] of golden.detectable) {
    near(minimumDetectableDifference(deviation, n, { power }), difference, 1e-6);
  }
});
