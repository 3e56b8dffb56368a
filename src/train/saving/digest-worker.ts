// The thread of digest.ts: takes paths, gives checksums. Entry point only.

import { parentPort, workerData } from 'node:worker_threads';
import { hashAll } from './digest.ts';

parentPort?.postMessage(await hashAll(workerData as readonly string[]));
