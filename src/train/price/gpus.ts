// What GPUs can do and hold, and what an hour of one costs. Peaks are those of the makers' data sheets,
// dense bfloat16; prices are assumptions, to be overridden.

export interface Gpu {
  readonly name: string;
  /** Dense bfloat16, FLOP/s. */
  readonly peakFlops: number;
  readonly memoryBytes: number;
  /** US dollars an hour: assumed, what on-demand clouds ask for one of eight. */
  readonly pricePerHour: number;
  /** How libtorch names the device. */
  readonly pattern: RegExp;
}

const gpu = (
  name: string,
  teraFlops: number,
  gib: number,
  pricePerHour: number,
  pattern: RegExp,
): Gpu => ({
  name,
  peakFlops: teraFlops * 1e12,
  memoryBytes: gib * 2 ** 30,
  pricePerHour,
  pattern,
});

/** The first pattern that fits a device's name counts. */
export const GPUS: readonly Gpu[] = [
  gpu('a800', 312, 80, 0.6, /A800/), // price: the paper's for an A100 hour
  gpu('a100', 312, 80, 1.3, /A100/),
  gpu('h200', 989, 141, 3.2, /H200/),
  gpu('h100', 989, 80, 2.5, /H[18]00/),
  gpu('b200', 2250, 180, 5.0, /B200/),
  gpu('l40s', 362, 48, 0.9, /L40S/),
  gpu('rtx4090', 165, 24, 0.4, /RTX 4090/),
];

/** Those priced beside the one asked for. */
export const ALTERNATIVES: readonly string[] = ['h100', 'h200', 'b200'];

export function findGpu(name: string): Gpu | undefined {
  return GPUS.find((one) => one.name === name.toLowerCase());
}

/** Peak of a device by libtorch's name for it; undefined for processors and unknown GPUs. */
export function peakOf(deviceName: string): number | undefined {
  return GPUS.find(({ pattern }) => pattern.test(deviceName))?.peakFlops;
}

/**
 * Share of the peak that training is assumed to reach where nothing is measured: peers with packed
 * images report 0.30 to 0.40 for 7-8B on A800 (lmms-engine); the goal of this project is 0.35.
 */
export const ASSUMED_MFU = 0.35;
