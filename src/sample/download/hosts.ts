// Politeness: few connections to one host, a pause between them, none while the host asks to wait; and
// a limit for all together.

export interface HostLimits {
  readonly perHost: number;
  readonly total: number;
  /** Least time between the starts of two requests to one host, in milliseconds. */
  readonly delayMs: number;
}

export interface Hosts {
  /** Runs a request when its host and the total have a place. */
  run<T>(host: string, work: () => Promise<T>): Promise<T>;
  /** Let a host rest. */
  rest(host: string, ms: number): void;
}

interface Host {
  active: number;
  nextAt: number;
  readonly waiting: (() => void)[];
  isTimed: boolean;
}

const MAX_REST_MS = 60_000;

export function createHosts({ perHost, total, delayMs }: HostLimits): Hosts {
  const hosts = new Map<string, Host>();
  /** Hosts that have a place of their own but wait for one of all. */
  let numActive = 0;
  const hostOf = (name: string): Host => {
    const known = hosts.get(name);
    if (known !== undefined) return known;
    const host: Host = { active: 0, nextAt: 0, waiting: [], isTimed: false };
    hosts.set(name, host);
    return host;
  };
  const admit = (host: Host): void => {
    while (host.waiting.length > 0 && host.active < perHost && numActive < total) {
      const restMs = host.nextAt - performance.now();
      if (restMs > 0) {
        if (!host.isTimed) setTimeout(reopen, restMs, host);
        host.isTimed = true;
        return;
      }
      host.active += 1;
      numActive += 1;
      host.nextAt = performance.now() + delayMs;
      host.waiting.shift()?.();
    }
  };
  const reopen = (host: Host): void => {
    host.isTimed = false;
    admit(host);
  };
  const leave = (name: string, host: Host): void => {
    host.active -= 1;
    const wasFull = numActive === total;
    numActive -= 1;
    admit(host);
    if (wasFull) for (const other of hosts.values()) admit(other);
    const isIdle = host.active === 0 && host.waiting.length === 0;
    if (isIdle && host.nextAt <= performance.now()) hosts.delete(name);
  };
  return {
    run: async (name, work) => {
      const host = hostOf(name);
      await new Promise<void>((resolve) => {
        host.waiting.push(resolve);
        admit(host);
      });
      try {
        return await work();
      } finally {
        leave(name, host);
      }
    },
    rest: (name, ms) => {
      const host = hostOf(name);
      host.nextAt = Math.max(host.nextAt, performance.now() + Math.min(ms, MAX_REST_MS));
    },
  };
}
