// The 95 % interval of a score by what made it of its items: a mean, a mean of groups, whole groups, or
// composite problems. Items of one cluster are not independent. Pure.
import type { Summary } from '../outcome.ts';
import { type Aggregator, aggregate, type ScoredItem } from '../scorers/aggregate.ts';
import {
  clusterInterval,
  type Interval,
  macroStandardError,
  wilsonInterval,
  Z_95,
} from '../statistics/intervals.ts';

export interface ClusteredItem extends ScoredItem {
  readonly cluster: string;
}

export interface ScoreInterval {
  readonly interval: Interval;
  readonly intervalMethod: Summary['intervalMethod'];
}

/** @param value the score itself; `items` as they were aggregated into it */
export function scoreInterval(
  items: readonly ClusteredItem[],
  how: Aggregator,
  value: number,
): ScoreInterval {
  const scores = items.map(({ score }) => score);
  const clusters = items.map(({ cluster }) => cluster);
  switch (how.kind) {
    case 'mean':
      return meanInterval(scores, clusters);
    case 'sum': {
      const { interval, intervalMethod } = meanInterval(scores, clusters);
      const scale = items.length / how.total;
      const scaled = { low: interval.low * scale, high: interval.high * scale };
      return { interval: scaled, intervalMethod };
    }
    case 'macro': {
      const groups = items.map(({ columns }) => columns?.[how.by] ?? '');
      const error = macroStandardError(scores, groups, clusters, how.weights);
      const around = {
        low: Math.max(0, value - Z_95 * error),
        high: Math.min(1, value + Z_95 * error),
      };
      const interval = Number.isNaN(error) ? { low: 0, high: 1 } : around;
      return { interval, intervalMethod: 'macro-robust' };
    }
    case 'all-of-group':
    case 'steps':
      return wholesInterval(items, how);
  }
}

function meanInterval(scores: readonly number[], clusters: readonly string[]): ScoreInterval {
  const isBinary = scores.every((score) => score === 0 || score === 1);
  const correct = scores.filter((score) => score === 1).length;
  const numClusters = new Set(clusters).size;
  if (isBinary && numClusters === clusters.length) {
    return { interval: wilsonInterval(correct, scores.length), intervalMethod: 'wilson' };
  }
  // All alike: no error can be estimated, and yet so many clusters do not make it certain.
  if (isBinary && (correct === 0 || correct === scores.length)) {
    const right = correct === 0 ? 0 : numClusters;
    return { interval: wilsonInterval(right, numClusters), intervalMethod: 'wilson' };
  }
  return { interval: clusterInterval(scores, clusters), intervalMethod: 'cluster-robust' };
}

/** Groups and problems are what is drawn: each has a value of its own. */
function wholesInterval(items: readonly ClusteredItem[], how: Aggregator): ScoreInterval {
  const wholes = new Map<string, ClusteredItem[]>();
  for (const item of items) wholes.set(item.cluster, [...(wholes.get(item.cluster) ?? []), item]);
  const values = [...wholes.values()].map((parts) => aggregate(parts, how).value);
  return meanInterval(values, [...wholes.keys()]);
}
