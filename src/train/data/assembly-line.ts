// Where packs are assembled: in this thread or in worker threads, behind one interface. What is
// assembled is the same either way.

import { Worker } from 'node:worker_threads';
import { type ErrorCode, OneVisionError } from '../../core/errors.ts';
import type { OrderEntry } from '../../pack/order.ts';
import { loadTokenizer } from '../../text/tokenizer.ts';
import { Assembler, type AssembleSettings } from './assemble.ts';
import { openPackSets } from './pack-sets.ts';
import type { AssembledPack } from './segments.ts';

/** Everything a thread needs to assemble packs; crosses thread borders. */
export interface AssemblySpec {
  readonly packDirs: readonly string[];
  /** Folder of the tokenizer. */
  readonly tokenizer: string;
  readonly settings: AssembleSettings;
}

export interface AssemblyLine {
  assemble(entry: OrderEntry): Promise<AssembledPack>;
  close(): Promise<void>;
}

/** Assembles in this thread, one pack after the other. */
export function localAssembly(spec: AssemblySpec): AssemblyLine {
  const packs = openPackSets(spec.packDirs);
  const assembler = new Assembler(loadTokenizer(spec.tokenizer), spec.settings);
  let last: Promise<unknown> = Promise.resolve();
  return {
    assemble: ({ pack, visit }) => {
      const next = last.then(() => assembler.assemble(packs.read(pack), visit));
      last = next.catch(() => undefined);
      return next;
    },
    close: async () => {
      await last;
      packs.close();
    },
  };
}

/** A message to a worker and its answer. */
export interface AssemblyRequest {
  readonly id: number;
  readonly entry: OrderEntry;
}
export type AssemblyReply =
  | { readonly id: number; readonly pack: AssembledPack }
  | { readonly id: number; readonly error: AssemblyFailure };
export interface AssemblyFailure {
  readonly code: ErrorCode | undefined;
  readonly message: string;
  readonly hint: string | undefined;
}

interface Waiting {
  readonly resolve: (pack: AssembledPack) => void;
  readonly reject: (error: Error) => void;
}

/**
 * Assembles in `count` worker threads, each with its own caches; packs go to them in turn. A worker
 * that dies fails whatever waits for it.
 */
export function workerAssembly(spec: AssemblySpec, count: number): AssemblyLine {
  const waiting = new Map<number, Waiting>();
  const failAll = (error: Error): void => {
    for (const { reject } of waiting.values()) reject(error);
    waiting.clear();
  };
  let closing = false;
  const workers = Array.from({ length: count }, () => {
    const worker = new Worker(new URL('./assembly-worker.ts', import.meta.url), {
      workerData: spec,
    });
    worker.on('message', (reply: AssemblyReply) => {
      const entry = waiting.get(reply.id);
      waiting.delete(reply.id);
      if ('pack' in reply) entry?.resolve(reply.pack);
      else entry?.reject(toError(reply.error));
    });
    worker.on('error', failAll);
    worker.on('exit', (code) => {
      if (!closing) failAll(new Error(`the data worker ended by itself with code ${code}`));
    });
    worker.unref();
    return worker;
  });
  let id = 0;
  return {
    assemble: (entry) =>
      new Promise((resolve, reject) => {
        id += 1;
        waiting.set(id, { resolve, reject });
        const request: AssemblyRequest = { id, entry };
        const worker = workers[id % count];
        worker?.ref();
        worker?.postMessage(request);
      }),
    close: async () => {
      closing = true;
      await Promise.all(workers.map((worker) => worker.terminate()));
    },
  };
}

function toError(failure: AssemblyFailure): Error {
  const { code, message, hint } = failure;
  if (code === undefined) return new Error(message);
  return new OneVisionError(code, message, hint === undefined ? {} : { hint });
}
