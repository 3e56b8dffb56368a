// Scalars as a TensorBoard event file: TFRecords of Event messages. https://www.tensorflow.org
// documents record and message; nothing of TensorFlow is needed to write them.

import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import { ensureFolder } from '../../core/files.ts';
import { Message } from './protobuf.ts';
import type { MetricSink } from './sink.ts';

/** Writes `<dir>/events.out.tfevents.…`; a run that goes on begins another file. */
export function openTensorboard(dir: string, now: () => number = Date.now): MetricSink {
  ensureFolder(dir);
  const started = now();
  const path = join(dir, `events.out.tfevents.${Math.floor(started / 1000)}.onevision`);
  const version = new Message().double(1, started / 1000).put(3, 'brain.Event:2');
  appendFileSync(path, record(version.bytes));
  return {
    log: (step, values) => {
      const summary = new Message();
      for (const [tag, value] of Object.entries(values)) {
        if (Number.isFinite(value)) summary.put(1, new Message().put(1, tag).float(2, value));
      }
      const event = new Message()
        .double(1, now() / 1000)
        .whole(2, step)
        .put(5, summary);
      appendFileSync(path, record(event.bytes));
    },
    close: () => undefined,
  };
}

/** A TFRecord: length, its check, bytes, their check. */
export function record(bytes: Buffer): Buffer {
  const head = Buffer.alloc(12);
  head.writeBigUInt64LE(BigInt(bytes.length));
  head.writeUInt32LE(masked(crc32c(head.subarray(0, 8))), 8);
  const tail = Buffer.alloc(4);
  tail.writeUInt32LE(masked(crc32c(bytes)));
  return Buffer.concat([head, bytes, tail]);
}

const TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; bit += 1) crc = (crc >>> 1) ^ (crc & 1 ? 0x82f63b78 : 0);
  return crc >>> 0;
});

/** CRC-32 of Castagnoli. RFC 3720, appendix B.4. */
export function crc32c(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) crc = (crc >>> 8) ^ (TABLE[(crc ^ byte) & 0xff] ?? 0);
  return (crc ^ 0xffffffff) >>> 0;
}

/** Rotated and moved, so that a check of checks is none. */
function masked(crc: number): number {
  return (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0;
}
