// The worker thread of the loader: takes pack numbers, gives arrays. Entry point only.

import { parentPort, workerData } from 'node:worker_threads';
import { OneVisionError } from '../../core/errors.ts';
import {
  type AssemblyReply,
  type AssemblyRequest,
  type AssemblySpec,
  localAssembly,
} from './assembly-line.ts';

const line = localAssembly(workerData as AssemblySpec);

parentPort?.on('message', async ({ id, entry }: AssemblyRequest) => {
  try {
    const pack = await line.assemble(entry);
    const buffers = Object.values(pack.batch).map((array) => array.buffer as ArrayBuffer);
    parentPort?.postMessage({ id, pack } satisfies AssemblyReply, buffers);
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
