// A rank of the tests of src/parallel/collectives.test.ts: `node collectives-program.ts <case>`.

import {
  allGather,
  allGatherInto,
  allReduce,
  allToAll,
  broadcast,
  reduceScatter,
} from '../../src/parallel/collectives.ts';
import { barrier, exchange, sumOver } from '../../src/parallel/messages.ts';
import { placeOf } from '../../src/parallel/place.ts';
import { ProcessGroup } from '../../src/parallel/process-group.ts';
import { fromArray, memory, setNumThreads, type Tensor, tidy } from '../../src/tensor/index.ts';
import * as ops from '../../src/tensor/ops.ts';

setNumThreads(1);
const [what = 'all', timeout = '20000', silence = timeout] = process.argv.slice(2);
const place = placeOf(process.env);
try {
  const group = ProcessGroup.open(place, {
    timeoutMs: Number(timeout),
    silenceMs: Number(silence),
  });
  if (what === 'all') everything(group);
  else stops(group);
  barrier(group, 'end');
  group.close();
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exit(7);
}

/** Values that depend on rank and place, the same in the test. */
function values(rank: number, length: number): number[] {
  return Array.from({ length }, (_, i) => rank * 100 + i + 0.25);
}

function everything(group: ProcessGroup): void {
  const { rank, size } = group;
  const before = memory().numTensors;
  const show = (name: string, x: Tensor): void => {
    console.log(JSON.stringify([name, x.toNumbers()]));
    x.dispose();
  };
  tidy(() => {
    const mine = fromArray(values(rank, 2 * size), [2 * size]);
    show('all-reduce', allReduce(mine, group, 'a').wait());
    show('max', allReduce(mine, group, 'a', 'max').wait());
    show('all-gather', allGather(mine, group, 'b').wait());
    const whole = ops.zeros([2 * size * size]);
    show('all-gather-into', allGatherInto(whole, mine, group, 'b').wait());
    show('reduce-scatter', reduceScatter(mine, group, 'c').wait());
    show('all-to-all', allToAll(mine, group, 'd').wait());
    show('broadcast', broadcast(mine, 1, group, 'e').wait());
    // Several under way at once.
    const pending = [1, 2, 3].map((factor) =>
      allReduce(ops.mulScalar(mine, factor), group, 'many'),
    );
    for (const [i, one] of pending.entries()) show(`many ${i}`, one.wait());
  });
  const odd = [0, 1, 2].filter((member) => member !== 1 && member < size);
  if (rank !== 1) {
    const sub = group.sub('odd', odd);
    tidy(() => show('sub', allReduce(fromArray([rank + 1], [1]), sub, 'sub').wait()));
  }
  console.log(JSON.stringify(['exchange', exchange({ rank, text: 'ü'.repeat(rank) }, group, 'x')]));
  console.log(JSON.stringify(['sum', sumOver([rank, 0.1], group, 'sum')]));
  console.log(JSON.stringify(['bytes', group.traffic.bytes]));
  console.log(JSON.stringify(['leak', memory().numTensors - before]));
}

/** Rank 1 stays behind: dead, or busy with something else. */
function stops(group: ProcessGroup): void {
  tidy(() => {
    const x = fromArray([1], [1]);
    allReduce(x, group, 'first').wait().dispose();
    const sleep = (ms: number): void => {
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
    };
    // More collectives than rank 0 has begun, but none of those that it waits for.
    for (let i = 0; group.rank === 1 && i < 3; i += 1) {
      allReduce(x, group.sub('own', [1]), 'own')
        .wait()
        .dispose();
    }
    if (group.rank === 1) sleep(what === 'hangs' ? 4000 : 500);
    if (group.rank === 1 && what === 'dies') process.exit(3);
    if (group.rank === 1 && what === 'is stopped') process.kill(process.pid, 'SIGSTOP');
    allGather(x, group, 'weights of block 3').wait().dispose();
  });
}
