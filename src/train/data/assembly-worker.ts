// The worker thread of the loader: takes pack numbers, gives arrays. Entry point only.

import { parentPort, workerData } from 'node:worker_threads';
import { OneVisionError } from '../../core/errors.ts';
import {
  type AssemblyReply,
  type AssemblyRequest,
  type AssemblySpec,
  localAssembly,
} from './assembly-line.ts';
import { shareBatch } from './shared-batch.ts';

const line = localAssembly(workerData as AssemblySpec);

parentPort?.on('message', async ({ id, entry, block }: AssemblyRequest) => {
  try {
    const pack = await line.assemble(entry);
    const shared = { ...pack, batch: shareBatch(pack.batch, block) };
    parentPort?.postMessage({ id, pack: shared } satisfies AssemblyReply);
  } catch (error) {
    const known = error instanceof OneVisionError;
    const failure = {
      code: known ? error.code : undefined,
      message:
        error instanceof Error ? (known ? error.message : String(error.stack)) : String(error),
      hint: known ? error.hint : undefined,
    };
    parentPort?.postMessage({ id, error: failure } satisfies AssemblyReply);
  }
});
