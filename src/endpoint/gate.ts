// How many requests may be under way: one more after each round of successes, half of them when the
// endpoint is overloaded (additive increase, multiplicative decrease), none while it asks to wait.

export interface Gate {
  /** Requests that may be under way now. */
  readonly limit: number;
  readonly numActive: number;
  /** Wait for a place. */
  enter(): Promise<void>;
  /** Give it back and say how it went. */
  leave(outcome: 'good' | 'overload' | 'other', waitMs?: number): void;
}

export interface GateOptions {
  readonly start?: number;
  readonly max: number;
  readonly now?: () => number;
}

export function createGate({ start = 4, max, now = Date.now }: GateOptions): Gate {
  let limit = Math.min(start, max);
  let numActive = 0;
  let closedUntil = 0;
  let lastCut = Number.NEGATIVE_INFINITY;
  let isWaiting = false;
  const waiting: (() => void)[] = [];
  const reopen = (): void => {
    isWaiting = false;
    admit();
  };
  const admit = (): void => {
    const restMs = closedUntil - now();
    if (restMs > 0) {
      if (!isWaiting) setTimeout(reopen, restMs);
      isWaiting = true;
      return;
    }
    while (waiting.length > 0 && numActive < Math.floor(limit)) {
      numActive += 1;
      waiting.shift()?.();
    }
  };
  return {
    get limit() {
      return Math.floor(limit);
    },
    get numActive() {
      return numActive;
    },
    enter: () =>
      new Promise((resolve) => {
        waiting.push(resolve);
        admit();
      }),
    leave: (outcome, waitMs = 0) => {
      numActive -= 1;
      const time = now();
      if (outcome === 'good') limit = Math.min(max, limit + 1 / limit);
      else if (outcome === 'overload') {
        // Answers to requests that were under way at the last cut say nothing new.
        if (time >= lastCut) limit = Math.max(1, limit / 2);
        lastCut = time + Math.max(waitMs, 100);
        closedUntil = Math.max(closedUntil, time + waitMs);
      }
      admit();
    },
  };
}
