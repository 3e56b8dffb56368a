// Where packs are assembled: in this thread or in worker threads, behind one interface. What is
// assembled is the same either way.

import { Worker } from 'node:worker_threads';
import { type ErrorCode, OneVisionError } from '../../core/errors.ts';
import type { OrderEntry } from '../../pack/order.ts';
import { loadTokenizer } from '../../text/tokenizer.ts';
import { Assembler, type AssembleSettings } from './assemble.ts';
import { openPackSets } from './pack-sets.ts';
import type { AssembledPack } from './segments.ts';
import { type SharedBatch, viewBatch } from './shared-batch.ts';

/** Everything a thread needs to assemble packs; crosses thread borders. */
export interface AssemblySpec {
  readonly packDirs: readonly string[];
  /** Folder of the tokenizer. */
  readonly tokenizer: string;
  readonly settings: AssembleSettings;
}

export interface AssemblyLine {
  assemble(entry: OrderEntry): Promise<AssembledPack>;
  /** Gives the memory of a pack back. Its arrays must not be read any more. */
  release(pack: AssembledPack): void;
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
    release: () => undefined,
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
  /** Memory to put the batch in. */
  readonly block: SharedArrayBuffer | undefined;
}
export type AssemblyReply =
  | { readonly id: number; readonly pack: SharedPack }
  | { readonly id: number; readonly error: AssemblyFailure };
/** A pack whose arrays lie in shared memory. */
export type SharedPack = Omit<AssembledPack, 'batch'> & { readonly batch: SharedBatch };
export interface AssemblyFailure {
  readonly code: ErrorCode | undefined;
  readonly message: string;
  readonly hint: string | undefined;
}

interface Job {
  readonly entry: OrderEntry;
  readonly resolve: (pack: AssembledPack) => void;
  readonly reject: (error: Error) => void;
}

/** Packs that wait at a worker beside the one it assembles, so that it never idles. */
const QUEUED = 2;

/**
 * Assembles in `count` worker threads, each with its own caches. A pack goes to the first worker that
 * is free; its arrays are views of shared memory until it is released. A worker that dies fails
 * whatever waits and whatever comes after.
 */
export function workerAssembly(spec: AssemblySpec, count: number): AssemblyLine {
  const crew = new Crew(spec, count);
  return {
    assemble: (entry) =>
      new Promise((resolve, reject) => {
        crew.take({ entry, resolve, reject });
      }),
    release: (pack) => crew.release(pack),
    close: () => crew.close(),
  };
}

/** The workers, what they are at, and the blocks of memory that are free. */
class Crew {
  readonly #workers: { readonly thread: Worker; readonly jobs: Map<number, Job> }[];
  readonly #waiting: Job[] = [];
  readonly #blocks: SharedArrayBuffer[] = [];
  readonly #blockOf = new WeakMap<AssembledPack, SharedArrayBuffer>();
  #nextId = 0;
  #closing = false;
  /** Why nothing is assembled any more. */
  #failure: Error | undefined;

  constructor(spec: AssemblySpec, count: number) {
    this.#workers = Array.from({ length: count }, () => {
      const thread = new Worker(new URL('./assembly-worker.ts', import.meta.url), {
        workerData: spec,
      });
      const jobs = new Map<number, Job>();
      thread.on('message', (reply: AssemblyReply) => this.#finish(jobs, reply));
      thread.on('error', (error) => this.#failAll(error));
      thread.on('exit', (code) => {
        if (this.#closing) return;
        this.#failAll(new Error(`the data worker ended by itself with code ${code}`));
      });
      thread.unref();
      return { thread, jobs };
    });
  }

  take(job: Job): void {
    if (this.#failure !== undefined) job.reject(this.#failure);
    else this.#waiting.push(job);
    this.#assign();
  }

  release(pack: AssembledPack): void {
    const block = this.#blockOf.get(pack);
    if (block !== undefined && this.#blockOf.delete(pack)) this.#blocks.push(block);
  }

  async close(): Promise<void> {
    this.#closing = true;
    await Promise.all(this.#workers.map(({ thread }) => thread.terminate()));
  }

  /** Hands waiting packs to the workers with least to do. */
  #assign(): void {
    while (this.#waiting.length > 0) {
      const worker = this.#workers.reduce((a, b) => (b.jobs.size < a.jobs.size ? b : a));
      if (worker.jobs.size >= QUEUED) return;
      const job = this.#waiting.shift();
      if (job === undefined) return;
      const id = this.#nextId;
      this.#nextId += 1;
      worker.jobs.set(id, job);
      worker.thread.ref();
      const request: AssemblyRequest = { id, entry: job.entry, block: this.#blocks.pop() };
      worker.thread.postMessage(request);
    }
  }

  #finish(jobs: Map<number, Job>, reply: AssemblyReply): void {
    const job = jobs.get(reply.id);
    jobs.delete(reply.id);
    this.#assign();
    if ('error' in reply) {
      job?.reject(toError(reply.error));
      return;
    }
    const pack = { ...reply.pack, batch: viewBatch(reply.pack.batch) };
    this.#blockOf.set(pack, reply.pack.batch.block);
    job?.resolve(pack);
  }

  #failAll(error: Error): void {
    this.#failure ??= error;
    const jobs = [
      ...this.#waiting.splice(0),
      ...this.#workers.flatMap((w) => [...w.jobs.values()]),
    ];
    for (const worker of this.#workers) worker.jobs.clear();
    for (const { reject } of jobs) reject(error);
  }
}

function toError(failure: AssemblyFailure): Error {
  const { code, message, hint } = failure;
  if (code === undefined) return new Error(message);
  return new OneVisionError(code, message, hint === undefined ? {} : { hint });
}
