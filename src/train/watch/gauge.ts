// What a run is measured against: the FLOPs of its model, the peak of its device, the memory in use.

import { spawnSync } from 'node:child_process';
import type { OneVision } from '../../model/onevision.ts';
import { peakBytes } from '../../tensor/index.ts';
import type { TrainConfig } from '../config.ts';
import { trainFlops } from '../price/flops.ts';
import { peakOf } from '../price/gpus.ts';
import type { Gauge } from './meter.ts';

/**
 * The gauge of a stage. MFU is against the bfloat16 peak of the table, whatever the precision.
 * @param devices one a rank: work is counted over all ranks
 */
export function gaugeOf(
  { config, device }: OneVision,
  settings: TrainConfig,
  devices: number,
): Gauge {
  const peak = peakFlopsOf(device);
  return {
    flopsOf: (work) => trainFlops(config, work, settings),
    peakFlops: peak === undefined ? undefined : peak * devices,
    peakBytes: () => peakBytes(device),
  };
}

/** By the name that the driver has for a GPU; undefined for processors and unknown GPUs. */
export function peakFlopsOf(device: string): number | undefined {
  const [kind, index = '0'] = device.split(':');
  if (kind !== 'cuda') return undefined;
  const args = ['--query-gpu=name', '--format=csv,noheader', `--id=${index}`];
  const { stdout } = spawnSync('nvidia-smi', args, { encoding: 'utf8' });
  return peakOf(stdout ?? '');
}
