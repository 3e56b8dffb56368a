// Which device a rank computes on, and what its tensors travel by.

import { OneVisionError } from '../core/errors.ts';
import { deviceNames } from '../tensor/index.ts';
import { native } from '../tensor/native.ts';
import type { Place } from './place.ts';

export interface RankDevice {
  readonly device: string;
  readonly backend: 'gloo' | 'nccl';
}

/** What libtorch and the addon have. */
export interface Equipment {
  /** `cuda:0`, … */
  readonly devices: readonly string[];
  /** Why the addon has no NCCL; null where it has. */
  readonly whyNoNccl: string | null;
}

/**
 * A rank on CUDA takes the device of its number on its machine.
 * @param device that of the recipe: `cpu`, `cuda`, or `cuda:1` for one process
 * @throws OneVisionError 'recipe' for one device and several ranks; 'parallel' where NCCL or a device
 * is missing.
 */
export function rankDevice(
  device: string,
  place: Place,
  here: Equipment = equipment(),
): RankDevice {
  if (device === 'cpu' || place.size === 1) return { device, backend: 'gloo' };
  const { rank, localRank, localSize } = place;
  if (device !== 'cuda') {
    throw new OneVisionError(
      'recipe',
      `expected device cuda for ${place.size} ranks, of which each takes its own, came ${device}`,
      { hint: 'write `device: "cuda"`, or start without --launch' },
    );
  }
  if (here.whyNoNccl !== null) {
    throw new OneVisionError(
      'parallel',
      `expected an addon with NCCL for ranks on CUDA, came one without: ${here.whyNoNccl}`,
      { hint: 'docs/parallel.md says what set-up needs to compile it in; then npm run setup' },
    );
  }
  // Slurm may show each task its own device only.
  const own = here.devices.length === 1 && oneEach() ? 0 : localRank;
  const name = here.devices[own];
  if (name !== undefined) return { device: name, backend: 'nccl' };
  throw new OneVisionError(
    'parallel',
    `expected a CUDA device for each of the ${localSize} ranks on this machine, came ` +
      `${here.devices.length}; rank ${rank} has none`,
    { hint: 'start as many ranks as there are devices: npm run onevision -- doctor lists them' },
  );
}

function oneEach(): boolean {
  return process.env['SLURM_GPUS_PER_TASK'] !== undefined;
}

function equipment(): Equipment {
  return { devices: deviceNames(), whyNoNccl: native().whyNoNccl() };
}
