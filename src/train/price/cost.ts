// From FLOPs to hours and dollars: time = FLOPs / (GPUs · peak · share of it that is used).

import type { Gpu } from './gpus.ts';

export interface Cluster {
  readonly gpu: Gpu;
  readonly numGpus: number;
  /** US dollars for an hour of one GPU. */
  readonly pricePerHour: number;
}

export interface Cost {
  readonly hours: number;
  readonly gpuHours: number;
  readonly dollars: number;
}

/**
 * @param flops those that the share is of: model FLOPs for MFU, hardware FLOPs for HFU
 * @param utilisation MFU or HFU, 0 … 1
 */
export function costOfFlops(flops: number, utilisation: number, cluster: Cluster): Cost {
  const { gpu, numGpus, pricePerHour } = cluster;
  const gpuHours = flops / (gpu.peakFlops * utilisation) / 3600;
  return { hours: gpuHours / numGpus, gpuHours, dollars: gpuHours * pricePerHour };
}

export function addCosts(costs: readonly Cost[]): Cost {
  const sum = (key: keyof Cost): number => costs.reduce((total, cost) => total + cost[key], 0);
  return { hours: sum('hours'), gpuHours: sum('gpuHours'), dollars: sum('dollars') };
}
