// A step of several ranks before there are any: each block's compute time and size, the link's speed, and
// the order in which shards.ts computes and sends. Two lanes, compute and link; each does one thing at
// a time. Times in milliseconds, sizes in bytes.

/** One block of the decoder on one rank. */
export interface BlockTrace {
  readonly forwardMs: number;
  readonly backwardMs: number;
  /** Its weights as they are gathered, and its gradients as they are summed (float32). */
  readonly weightBytes: number;
  readonly gradientBytes: number;
}

export interface StepTrace {
  readonly blocks: readonly BlockTrace[];
  /** What is no block: embedding, head, tower. Its weights stay or are gathered once a pass. */
  readonly rest: BlockTrace;
  readonly passes: number;
  /** Clipping and update of all parameters on one rank. */
  readonly updateMs: number;
}

export interface Link {
  readonly bytesPerMs: number;
  /** Of one message between neighbours. */
  readonly latencyMs: number;
}

export interface Sharing {
  readonly sharding: 'optimizer' | 'full';
  /** Ranks that share a state, and over which link. */
  readonly ranks: number;
  readonly link: Link;
  /** Groups that hold it again, and the link between them; gradients are summed over them too. */
  readonly replicas?: { readonly groups: number; readonly link: Link } | undefined;
}

export interface SimulatedStep {
  readonly stepMs: number;
  /** Time in which only the link works. */
  readonly exposedMs: number;
  /** Time the link works. */
  readonly linkMs: number;
  /** What a rank sends. */
  readonly bytes: number;
}

/** Compute and link as two lanes of time. */
class Lanes {
  compute = 0;
  link = 0;
  linkMs = 0;
  exposedMs = 0;
  bytes = 0;
  readonly #sharing: Sharing;

  constructor(sharing: Sharing) {
    this.#sharing = sharing;
  }

  /** Computes, not before `ready`. */
  work(ms: number, ready = 0): void {
    const start = Math.max(this.compute, ready);
    this.exposedMs += start - this.compute;
    this.compute = start + ms;
  }

  /** Gathers or scatters over the group. @returns when it has ended */
  send(bytes: number): number {
    const { ranks, link } = this.#sharing;
    return this.#move((bytes * (ranks - 1)) / ranks, ranks - 1, link);
  }

  /** Sums a rank's part over the replicas. */
  sumReplicas(bytes: number): void {
    const { ranks, replicas } = this.#sharing;
    if (replicas === undefined || replicas.groups === 1) return;
    const { groups, link } = replicas;
    this.#move((2 * (bytes / ranks) * (groups - 1)) / groups, 2 * (groups - 1), link);
  }

  wait(until: number): void {
    this.work(0, until);
  }

  #move(bytes: number, messages: number, link: Link): number {
    if (messages === 0) return this.compute;
    const ms = bytes / link.bytesPerMs + messages * link.latencyMs;
    this.link = Math.max(this.link, this.compute) + ms;
    this.linkMs += ms;
    this.bytes += bytes;
    return this.link;
  }
}

/** One step. */
export function simulateStep(trace: StepTrace, sharing: Sharing): SimulatedStep {
  const lanes = new Lanes(sharing);
  const isFull = sharing.sharding === 'full';
  const { blocks, rest, passes } = trace;
  for (let pass = 0; pass < passes; pass += 1) {
    const isLast = pass + 1 === passes;
    if (isFull) simulateFull(lanes, trace);
    else {
      for (const block of [rest, ...blocks]) lanes.work(block.forwardMs);
      for (const block of blocks.toReversed()) {
        lanes.work(block.backwardMs);
        if (isLast) reduce(lanes, block);
      }
      lanes.work(rest.backwardMs);
      if (isLast) reduce(lanes, rest);
    }
  }
  lanes.wait(lanes.link);
  lanes.work(trace.updateMs / sharing.ranks);
  if (!isFull) {
    let end = 0;
    for (const block of [...blocks, rest]) end = lanes.send(block.weightBytes);
    lanes.wait(end);
  }
  const { compute: stepMs, exposedMs, linkMs, bytes } = lanes;
  return { stepMs, exposedMs, linkMs, bytes };
}

function reduce(lanes: Lanes, block: BlockTrace): void {
  lanes.send(block.gradientBytes);
  lanes.sumReplicas(block.gradientBytes);
}

/** Gather one ahead, run, free; the last block stays for its backward. */
function simulateFull(lanes: Lanes, { blocks, rest }: StepTrace): void {
  const numBlocks = blocks.length;
  const ready = new Map<number, number>();
  const gather = (index: number): void => {
    const block = blocks[index];
    if (block !== undefined) ready.set(index, lanes.send(block.weightBytes));
  };
  lanes.wait(lanes.send(rest.weightBytes));
  gather(0);
  lanes.work(rest.forwardMs);
  for (const [i, block] of blocks.entries()) {
    lanes.wait(ready.get(i) ?? 0);
    gather(i + 1);
    lanes.work(block.forwardMs);
  }
  for (let i = numBlocks - 1; i >= 0; i -= 1) {
    lanes.wait(ready.get(i) ?? 0);
    gather(i - 1);
    const block = blocks[i];
    if (block === undefined) continue;
    lanes.work(block.backwardMs);
    reduce(lanes, block);
  }
  lanes.work(rest.backwardMs);
  reduce(lanes, rest);
}

/** Bytes a rank keeps between steps: weights, gradient, master, two moments. */
export function stateBytes(
  parameters: { readonly decoder: number; readonly rest: number },
  { sharding, ranks }: Pick<Sharing, 'sharding' | 'ranks'>,
  weightBytes: 2 | 4,
): number {
  const { decoder, rest } = parameters;
  const all = decoder + rest;
  // In float32 a resident weight is its own master.
  const masters = weightBytes === 4 ? 0 : 4;
  const shared = (8 + masters) * (all / ranks);
  if (sharding === 'optimizer') return shared + (weightBytes + 4) * all;
  const cut = weightBytes === 4 ? 8 : 4;
  return shared + (weightBytes + 4) * rest + cut * (decoder / ranks);
}
