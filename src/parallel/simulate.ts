// A step of several ranks before there are any: each block's compute time and size, the link's speed, and
// the order in which shards.ts computes and sends. Compute and link each do one thing at a time, and go
// slower while both work. Times in milliseconds, sizes in bytes.

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
  /**
   * How fast both go while both work, of how fast they go alone: transfers take cores from what
   * computes, on a device as on a processor. Default 1 and 1.
   */
  readonly together?: { readonly compute: number; readonly link: number } | undefined;
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
  /** Time that the transfers would take if nothing else worked. */
  readonly linkMs: number;
  /** Part of the transfers' time that compute hides. */
  readonly overlap: number;
  /** What a rank sends. */
  readonly bytes: number;
}

/** What is on the link, or waits for it. */
interface Transfer {
  /** Left of its time alone. */
  leftMs: number;
}

/** Time goes on while something is computed or waited for; transfers go on beside it, in order. */
class Clock {
  now = 0;
  linkMs = 0;
  exposedMs = 0;
  bytes = 0;
  readonly #sharing: Sharing;
  readonly #queue: Transfer[] = [];

  constructor(sharing: Sharing) {
    this.#sharing = sharing;
  }

  work(ms: number): void {
    const { compute, link } = this.#sharing.link.together ?? { compute: 1, link: 1 };
    let left = ms;
    for (let head = this.#queue[0]; head !== undefined && left > 0; head = this.#queue[0]) {
      const [untilDone, untilSent] = [left / compute, head.leftMs / link];
      this.now += Math.min(untilDone, untilSent);
      if (untilDone < untilSent) {
        head.leftMs -= untilDone * link;
        return;
      }
      left -= untilSent * compute;
      this.#finishHead();
    }
    this.now += Math.max(left, 0);
  }

  wait(transfer: Transfer | undefined): void {
    while (transfer !== undefined && transfer.leftMs > 0) {
      const ms = this.#queue[0]?.leftMs ?? 0;
      this.now += ms;
      this.exposedMs += ms;
      this.#finishHead();
    }
  }

  /** Gathers or scatters over the group. */
  send(bytes: number): Transfer {
    const { ranks, link } = this.#sharing;
    return this.#begin((bytes * (ranks - 1)) / ranks, ranks - 1, link);
  }

  /** Sums a rank's part over the replicas. */
  sumReplicas(bytes: number): Transfer | undefined {
    const { ranks, replicas } = this.#sharing;
    if (replicas === undefined || replicas.groups === 1) return undefined;
    const { groups, link } = replicas;
    return this.#begin((2 * (bytes / ranks) * (groups - 1)) / groups, 2 * (groups - 1), link);
  }

  #begin(bytes: number, messages: number, link: Link): Transfer {
    const transfer = {
      leftMs: messages === 0 ? 0 : bytes / link.bytesPerMs + messages * link.latencyMs,
    };
    this.linkMs += transfer.leftMs;
    this.bytes += bytes;
    if (transfer.leftMs > 0) this.#queue.push(transfer);
    return transfer;
  }

  #finishHead(): void {
    const head = this.#queue.shift();
    if (head !== undefined) head.leftMs = 0;
  }
}

/** One step. */
export function simulateStep(trace: StepTrace, sharing: Sharing): SimulatedStep {
  const clock = new Clock(sharing);
  const sums = new Sums(clock);
  const isFull = sharing.sharding === 'full';
  const { blocks, rest, passes } = trace;
  for (let pass = 0; pass < passes; pass += 1) {
    if (isFull) simulateFull(clock, sums, trace);
    else simulateResident(clock, pass + 1 === passes ? sums : undefined, trace);
  }
  sums.finish();
  clock.work(trace.updateMs / sharing.ranks);
  if (!isFull) {
    const gathers = [...blocks, rest].map((block) => clock.send(block.weightBytes));
    for (const gather of gathers) clock.wait(gather);
  }
  const { now: stepMs, exposedMs, linkMs, bytes } = clock;
  return { stepMs, exposedMs, linkMs, bytes, overlap: linkMs === 0 ? 1 : 1 - exposedMs / linkMs };
}

/** Sums of gradients: one over the group at a time, each then over the replicas. */
class Sums {
  readonly #clock: Clock;
  #last: { readonly transfer: Transfer; readonly bytes: number } | undefined;
  readonly #overReplicas: (Transfer | undefined)[] = [];

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  begin({ gradientBytes: bytes }: BlockTrace): void {
    this.#settle();
    this.#last = { transfer: this.#clock.send(bytes), bytes };
  }

  finish(): void {
    this.#settle();
    for (const sum of this.#overReplicas) this.#clock.wait(sum);
  }

  #settle(): void {
    if (this.#last === undefined) return;
    this.#clock.wait(this.#last.transfer);
    this.#overReplicas.push(this.#clock.sumReplicas(this.#last.bytes));
    this.#last = undefined;
  }
}

/** All weights are there; gradients are summed in the last pass. */
function simulateResident(clock: Clock, sums: Sums | undefined, { blocks, rest }: StepTrace): void {
  for (const block of [rest, ...blocks]) clock.work(block.forwardMs);
  for (const block of [...blocks.toReversed(), rest]) {
    clock.work(block.backwardMs);
    sums?.begin(block);
  }
}

/** Gather one ahead, run, free; the last block stays for its backward. */
function simulateFull(clock: Clock, sums: Sums, { blocks, rest }: StepTrace): void {
  const ready = new Map<number, Transfer>();
  const gather = (index: number): void => {
    const block = blocks[index];
    if (block !== undefined) ready.set(index, clock.send(block.weightBytes));
  };
  clock.wait(clock.send(rest.weightBytes));
  gather(0);
  clock.work(rest.forwardMs);
  for (const [i, block] of blocks.entries()) {
    clock.wait(ready.get(i));
    gather(i + 1);
    clock.work(block.forwardMs);
  }
  for (const [i, block] of [...blocks.entries()].toReversed()) {
    // The last one has stayed.
    clock.wait(ready.get(i));
    gather(i - 1);
    clock.work(block.backwardMs);
    sums.begin(block);
  }
  clock.work(rest.backwardMs);
  sums.begin(rest);
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
