// Metrics as an offline run of Weights & Biases: a folder that `wandb sync` sends. The file is a log of
// records in blocks, as LevelDB's, each a protocol buffer.

import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { ensureFolder } from '../../core/files.ts';
import { sha256Hex } from '../../core/hash.ts';
import { Message } from './protobuf.ts';
import type { MetricSink } from './sink.ts';

const BLOCK_BYTES = 32_768;
const HEAD_BYTES = 7;
const MAGIC = 0xbee1;
/** Fields of wandb_internal.Record. */
const HISTORY = 2;
const RUN = 17;
const EXIT = 18;

export interface WandbOptions {
  readonly project: string;
  readonly name: string;
  /** Milliseconds since 1970. */
  readonly now?: () => number;
}

/** Writes `<dir>/offline-run-<time>-<id>/run-<id>.wandb`; a run that goes on begins another. */
export function openWandb(dir: string, options: WandbOptions): MetricSink {
  const { project, name, now = Date.now } = options;
  const started = now();
  const id = sha256Hex(`${name} ${started}`).slice(0, 8);
  const stamp = new Date(started).toISOString().slice(0, 19).replaceAll(/[-:]/g, '');
  const folder = join(dir, `offline-run-${stamp.replace('T', '_')}-${id}`);
  ensureFolder(join(folder, 'files'));
  const log = new BlockLog(join(folder, `run-${id}.wandb`));
  let numRecords = 0;
  const write = (field: number, message: Message): void => {
    numRecords += 1;
    log.append(new Message().whole(1, numRecords).put(field, message).bytes);
  };
  const time = new Message().whole(1, Math.floor(started / 1000));
  write(RUN, new Message().put(1, id).put(3, project).put(8, name).put(17, time));
  return {
    log: (step, values) => {
      const history = new Message();
      const all = { ...values, _step: step, _timestamp: now() / 1000 };
      for (const [key, value] of Object.entries(all)) {
        if (!Number.isFinite(value)) continue;
        history.put(1, new Message().put(1, key).put(16, JSON.stringify(value)));
      }
      write(HISTORY, history.put(2, new Message().whole(1, step)));
    },
    close: () => write(EXIT, new Message().whole(1, 0)),
  };
}

/** Records cut at the borders of blocks, so that a reader can go on behind a damaged one. */
class BlockLog {
  readonly #path: string;
  #offset = 0;

  constructor(path: string) {
    this.#path = path;
    const head = Buffer.alloc(HEAD_BYTES);
    head.write(':W&B', 'latin1');
    head.writeUInt16LE(MAGIC, 4);
    this.#write(head);
  }

  append(record: Buffer): void {
    let rest = record;
    let isFirst = true;
    do {
      const left = BLOCK_BYTES - (this.#offset % BLOCK_BYTES);
      if (left < HEAD_BYTES) {
        this.#write(Buffer.alloc(left));
        continue;
      }
      const part = rest.subarray(0, left - HEAD_BYTES);
      rest = rest.subarray(part.length);
      const isLast = rest.length === 0;
      // full, first, middle, last
      const kind = isFirst ? (isLast ? 1 : 2) : isLast ? 4 : 3;
      const head = Buffer.alloc(HEAD_BYTES);
      head.writeUInt32LE(crc32(part, crc32(Buffer.of(kind))), 0);
      head.writeUInt16LE(part.length, 4);
      head.writeUInt8(kind, 6);
      this.#write(Buffer.concat([head, part]));
      isFirst = false;
      if (isLast) return;
    } while (rest.length > 0 || isFirst);
  }

  #write(bytes: Buffer): void {
    appendFileSync(this.#path, bytes);
    this.#offset += bytes.length;
  }
}
