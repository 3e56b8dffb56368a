// Collectives as typed functions over c10d's operators. Each begins at once and gives a handle to wait
// on; one that fails or hangs says which rank it waits for.

import { callOperator, keep, noGrad, type Tensor, tidy } from '../tensor/index.ts';
import { native } from '../tensor/native.ts';
import * as ops from '../tensor/ops.ts';
import type { ProcessGroup } from './process-group.ts';
import { collectiveError, type Progress } from './watchdog.ts';

export type ReduceOp = 'sum' | 'max' | 'min' | 'avg';

/** Collectives begun so far by the names of their groups: ranks of other groups may begin fewer. */
const begun: Record<string, number> = {};

/** A collective under way. Its inputs must not change before `wait` returns. */
export class Pending {
  readonly #group: ProcessGroup;
  readonly #at: Progress;
  readonly #finish: (raw: Tensor) => Tensor;
  #raw: Tensor | undefined;
  #isThere = false;

  constructor(group: ProcessGroup, at: Progress, raw: Tensor, finish: (raw: Tensor) => Tensor) {
    this.#group = group;
    this.#at = at;
    this.#raw = raw;
    this.#finish = finish;
    if (!group.overlaps) this.#stand(raw);
  }

  /** The result, which belongs to the `tidy` around. @throws OneVisionError 'parallel' */
  wait(): Tensor {
    const raw = this.#raw;
    if (raw === undefined) throw new RangeError('a collective is waited for once');
    this.#raw = undefined;
    this.#stand(raw);
    return noGrad(() => tidy(() => this.#finish(raw)));
  }

  /** Stands still until the tensor has come. */
  #stand(raw: Tensor): void {
    if (this.#isThere) return;
    const start = performance.now();
    native().noteWaiting(true);
    try {
      noGrad(() => tidy(() => void callOperator('_c10d_functional::wait_tensor', raw)));
    } catch (cause) {
      throw collectiveError(this.#group, this.#at, cause);
    } finally {
      native().noteWaiting(false);
      this.#group.traffic.waitMs += performance.now() - start;
    }
    this.#isThere = true;
  }
}

/** What the result of most is: the tensor that the collective made, with an owner of its own. */
function handOver(raw: Tensor): Tensor {
  const result = ops.detach(raw);
  raw.dispose();
  return result;
}

/** Begins a collective and tells the others that this rank has. */
function begin(
  group: ProcessGroup,
  what: { readonly kind: string; readonly label: string; readonly bytes: number },
  call: () => Tensor,
  finish: (raw: Tensor) => Tensor = handOver,
): Pending {
  const sequence = (begun[group.name] ?? 0) + 1;
  begun[group.name] = sequence;
  const at: Progress = { sequence, begun, kind: what.kind, label: what.label, group: group.name };
  native().noteProgress(JSON.stringify(at));
  group.traffic.bytes += what.bytes;
  group.traffic.calls += 1;
  try {
    const raw = noGrad(() => tidy(() => keep(call())));
    return new Pending(group, at, raw, finish);
  } catch (cause) {
    throw collectiveError(group, at, cause);
  }
}

function bytesOf(tensor: Tensor): number {
  const width: Readonly<Record<string, number>> = { float64: 8, int64: 8, float32: 4, int32: 4 };
  return tensor.numel * (width[tensor.dtype] ?? (tensor.dtype.endsWith('16') ? 2 : 1));
}

/** Bytes a rank sends of a tensor of which it keeps its own part. */
function sentBytes(whole: number, { size }: ProcessGroup): number {
  return (whole * (size - 1)) / size;
}

/** The sum (or another reduction) over all ranks, on all ranks. `x` stays as it is. */
export function allReduce(
  x: Tensor,
  group: ProcessGroup,
  label: string,
  op: ReduceOp = 'sum',
): Pending {
  const bytes = 2 * sentBytes(bytesOf(x), group);
  return begin(group, { kind: 'all-reduce', label, bytes }, () => {
    return callOperator('_c10d_functional::all_reduce', x, op, group.name) as Tensor;
  });
}

/** The parts of all ranks one after another: [n, …] → [size · n, …]. */
export function allGather(part: Tensor, group: ProcessGroup, label: string): Pending {
  const bytes = sentBytes(bytesOf(part) * group.size, group);
  return begin(group, { kind: 'all-gather', label, bytes }, () => {
    const name = '_c10d_functional::all_gather_into_tensor';
    return callOperator(name, part, group.size, group.name) as Tensor;
  });
}

/** The same into a tensor that is there; `wait` gives that tensor back. */
export function allGatherInto(
  whole: Tensor,
  part: Tensor,
  group: ProcessGroup,
  label: string,
): Pending {
  const bytes = sentBytes(bytesOf(whole), group);
  const call = (): Tensor => {
    if (group.size === 1) {
      ops.copy_(whole, part);
      return whole;
    }
    const name = '_c10d_functional::all_gather_into_tensor_out';
    return callOperator(name, part, group.size, group.name, whole) as Tensor;
  };
  return begin(group, { kind: 'all-gather', label, bytes }, call, () => whole);
}

/**
 * This rank's part of the sum over all ranks: [size · n] → [n]. Gloo sends whole tensors to reduce and
 * scatter them, so on the CPU the parts are exchanged and added here, in the order of the ranks.
 */
export function reduceScatter(x: Tensor, group: ProcessGroup, label: string): Pending {
  const what = { kind: 'reduce-scatter', label, bytes: sentBytes(bytesOf(x), group) };
  // One rank has nothing to send; the result is the same memory.
  if (group.size === 1) return begin(group, what, () => ops.detach(x));
  if (x.device !== 'cpu') {
    const name = '_c10d_functional::reduce_scatter_tensor';
    return begin(group, what, () => {
      return callOperator(name, x, 'sum', group.size, group.name) as Tensor;
    });
  }
  return begin(group, what, exchanged(x, group), (raw) => {
    const sum = ops.sumDim(ops.view(raw, [group.size, -1]), [0]);
    raw.dispose();
    return sum;
  });
}

/** Rows that go to each rank and come from each. */
export interface Splits {
  readonly sent: readonly number[];
  readonly received: readonly number[];
}

/** Part i of `x` goes to rank i: [size · n, …] → [size · n, …], or as many rows as `splits` say. */
export function allToAll(x: Tensor, group: ProcessGroup, label: string, splits?: Splits): Pending {
  const [rows = 0] = x.shape;
  const kept = splits?.sent[group.rank] ?? rows / group.size;
  const bytes = rows === 0 ? 0 : (bytesOf(x) * (rows - kept)) / rows;
  return begin(group, { kind: 'all-to-all', label, bytes }, exchanged(x, group, splits));
}

function exchanged(x: Tensor, group: ProcessGroup, splits?: Splits): () => Tensor {
  const each = new Array<number>(group.size).fill((x.shape[0] ?? 0) / group.size);
  const { sent, received } = splits ?? { sent: each, received: each };
  const name = '_c10d_functional::all_to_all_single';
  return () => callOperator(name, x, received, sent, group.name) as Tensor;
}

/** The tensor of one rank of the group, on all. */
export function broadcast(x: Tensor, from: number, group: ProcessGroup, label: string): Pending {
  const bytes = group.rank === from ? bytesOf(x) : 0;
  return begin(group, { kind: 'broadcast', label, bytes }, () => {
    return callOperator('_c10d_functional::broadcast', x, from, group.name) as Tensor;
  });
}
