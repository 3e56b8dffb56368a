// Kills a process that another one has started, as soon as there is one.
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

/** Ends the first child of a process by SIGKILL. @returns whether there was one within 10 seconds. */
export async function killFirstChild(pid: number): Promise<boolean> {
  for (let tries = 0; tries < 500; tries++) {
    const [child] = childrenOf(pid);
    if (child !== undefined) {
      process.kill(child, 'SIGKILL');
      return true;
    }
    await sleep(20);
  }
  return false;
}

function childrenOf(pid: number): number[] {
  try {
    const text = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8');
    return text.split(' ').filter(Boolean).map(Number);
  } catch {
    return []; // it has ended
  }
}
