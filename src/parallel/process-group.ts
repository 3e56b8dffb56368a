// The ranks that train together: meeting, groups of some of them, small messages. What tensors travel
// by is in collectives.ts.

import { OneVisionError } from '../core/errors.ts';
import { native } from '../tensor/native.ts';
import type { Place } from './place.ts';

/** What a run waits for ranks to meet, and for a collective to end. */
export const DEFAULT_TIMEOUT_MS: number = 30 * 60 * 1000;

/** A rank that has given no sign of life for so long is lost. Each gives one every 5 seconds. */
const SILENCE_MS = 40_000;

export interface OpenOptions {
  /** Default 30 minutes. */
  readonly timeoutMs?: number | undefined;
  /** After how long without a sign of life a rank is lost. Default 40 seconds, or `timeoutMs`. */
  readonly silenceMs?: number | undefined;
  /** `nccl` moves tensors on CUDA; those of the CPU go through Gloo in both. Default `gloo`. */
  readonly backend?: 'gloo' | 'nccl' | undefined;
}

/** Counts of what this rank has sent through collectives. */
export interface Traffic {
  bytes: number;
  calls: number;
  /** Milliseconds in which this rank stood still for them. */
  waitMs: number;
  /** Of these for small messages. */
  messageMs: number;
}

/** Some ranks that call the same collectives in the same order. */
export class ProcessGroup {
  readonly name: string;
  /** Ranks of the world in this group, in order. */
  readonly members: readonly number[];
  /** Place of this process in `members`. */
  readonly rank: number;
  readonly timeoutMs: number;
  readonly traffic: Traffic = { bytes: 0, calls: 0, waitMs: 0, messageMs: 0 };
  /** Whether this rank computes while tensors travel; without, it shows what that is worth. */
  overlaps = true;
  readonly #world: number;
  readonly #subgroups = new Map<string, ProcessGroup>();

  private constructor(name: string, members: readonly number[], world: number, timeoutMs: number) {
    this.name = name;
    this.members = members;
    this.#world = world;
    this.rank = members.indexOf(world);
    this.timeoutMs = timeoutMs;
  }

  get size(): number {
    return this.members.length;
  }

  /** Rank of this process among all. */
  get worldRank(): number {
    return this.#world;
  }

  /**
   * Meets the other ranks; every one of them calls this. One world a process.
   * @throws OneVisionError 'parallel' where they do not come in time.
   */
  static open(place: Place, options: OpenOptions = {}): ProcessGroup {
    const { timeoutMs = DEFAULT_TIMEOUT_MS, backend = 'gloo' } = options;
    const { silenceMs = Math.min(timeoutMs, SILENCE_MS) } = options;
    const { rank, size, host, port } = place;
    const times = { timeoutMs, silenceMs };
    try {
      native().openProcessGroup({ name: 'world', backend, rank, size, host, port, ...times });
    } catch (cause) {
      if (cause instanceof OneVisionError && cause.code === 'parallel') throw cause;
      throw new OneVisionError(
        'parallel',
        `expected rank ${rank} to meet the other ${size - 1} ranks at ${host}:${port} within ` +
          `${timeoutMs / 1000} s, came: ${cause instanceof Error ? cause.message : String(cause)}`,
        { hint: 'start all ranks; rank 0 must be reachable under MASTER_ADDR:MASTER_PORT', cause },
      );
    }
    const members = Array.from({ length: size }, (_, i) => i);
    return new ProcessGroup('world', members, rank, timeoutMs);
  }

  /**
   * The group of this name, of some ranks of the world; those ranks call this, in the same order. Other
   * members have another name.
   */
  sub(name: string, members: readonly number[]): ProcessGroup {
    const open = this.#subgroups.get(name);
    if (open !== undefined) return open;
    native().openSubGroup(name, members, this.timeoutMs);
    const group = new ProcessGroup(name, members, this.#world, this.timeoutMs);
    this.#subgroups.set(name, group);
    return group;
  }

  /** Leaves a text for the other ranks. */
  post(key: string, text: string): void {
    native().storeSet(key, text);
  }

  /** A text that some rank has left, null where none has yet. */
  read(key: string): string | null {
    return native().storeGet(key);
  }

  /** Leaves all groups. Only where all ranks are done: others may still want to say something. */
  close(): void {
    native().closeProcessGroups();
  }
}
