// Devices: which there are beside the processor, waiting for them, the memory they hold.
import { type DeviceMemory, native } from './native.ts';

/** `cuda:0`, … : the devices that libtorch sees beside the processor. */
export function deviceNames(): string[] {
  return native().deviceNames();
}

/** Whether tensors of a device lie elsewhere than in the processor's memory. */
export function isAccelerator(device: string): boolean {
  return device !== 'cpu';
}

/** Waits until everything queued on a device is done; the processor has no queue. */
export function synchronize(device: string): void {
  if (isAccelerator(device)) native().synchronize(device);
}

/** @throws OneVisionError 'native' for the processor: its memory is the process's */
export function deviceMemory(device: string): DeviceMemory {
  return native().deviceMemory(device);
}

/** Gives memory that no tensor holds back to the device, and starts its peaks anew. */
export function resetPeakMemory(device: string): void {
  native().resetPeakMemory(device);
}

/**
 * The most bytes that were needed so far: tensors on a device, the whole process on the processor.
 */
export function peakBytes(device: string): number {
  return isAccelerator(device)
    ? native().deviceMemory(device).peakBytes
    : process.resourceUsage().maxRSS * 1024;
}
