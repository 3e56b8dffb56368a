// Two hosts on this machine: network namespaces with names and addresses of their own, joined by a
// cable (veth) that can be cut. For tests of processes that talk over a network.
import { type ChildProcess, execFileSync, type SpawnOptions, spawn } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export interface Host {
  readonly name: string;
  readonly address: string;
  /** Starts a program there. Its host name resolves to its address. */
  spawn(command: string, args: readonly string[], options?: SpawnOptions): ChildProcess;
}

export interface TwoHosts {
  readonly hosts: readonly [Host, Host];
  /** The network interface of each host. */
  readonly device: string;
  /** Nothing arrives any more; no connection is closed, as when a switch dies. */
  cut(): void;
  /** Undoes `cut`. */
  mend(): void;
  close(): void;
}

const DEVICE = 'eth0';
/** Of the block for private networks; seen inside of the two namespaces only. */
const ADDRESSES = ['10.77.0.1', '10.77.0.2'] as const;
const NOBODY = '02:00:00:00:00:99';
const SETTINGS = join('/', 'etc', 'netns');

/** Why there can be no two hosts here, or undefined. */
export function whyNoHosts(): string | undefined {
  const probe = `onevision-probe-${process.pid}`;
  try {
    ip('netns', 'add', probe);
    ip('netns', 'exec', probe, 'unshare', '--uts', 'true');
    ip('netns', 'delete', probe);
    return undefined;
  } catch (error) {
    const [line = ''] = String(error instanceof Error ? error.message : error)
      .split('\n')
      .slice(-1);
    return `network namespaces need root, iproute2 and a kernel that allows them: ${line}`;
  }
}

export function openTwoHosts(): TwoHosts {
  const spaces = [`onevision-${process.pid}-0`, `onevision-${process.pid}-1`] as const;
  const names = ['host-0', 'host-1'] as const;
  const lines = names.map((name, i) => `${ADDRESSES[i]} ${name}\n`).join('');
  for (const space of spaces) {
    ip('netns', 'add', space);
    // `ip netns exec` lays this over the file of the machine.
    mkdirSync(join(SETTINGS, space), { recursive: true });
    writeFileSync(join(SETTINGS, space, 'hosts'), `127.0.0.1 localhost\n${lines}`);
  }
  const ends = ['type', 'veth', 'peer', 'name', DEVICE, 'netns', spaces[1]];
  ip('link', 'add', DEVICE, 'netns', spaces[0], ...ends);
  for (const [i, space] of spaces.entries()) {
    ip('-n', space, 'address', 'add', `${ADDRESSES[i]}/24`, 'dev', DEVICE);
    ip('-n', space, 'link', 'set', 'lo', 'up');
    ip('-n', space, 'link', 'set', DEVICE, 'up');
  }
  const neighbour = (action: 'replace' | 'delete', ...rest: readonly string[]): void => {
    for (const [i, space] of spaces.entries()) {
      ip('-n', space, 'neighbour', action, ADDRESSES[1 - i] ?? '', 'dev', DEVICE, ...rest);
    }
  };
  const host = (i: 0 | 1): Host => ({
    name: names[i],
    address: ADDRESSES[i],
    spawn: (command, args, options = {}) => {
      const named = ['sh', '-c', `hostname ${names[i]}; exec "$@"`, 'sh', command, ...args];
      return spawn('ip', ['netns', 'exec', spaces[i], 'unshare', '--uts', ...named], options);
    },
  });
  return {
    hosts: [host(0), host(1)],
    device: DEVICE,
    // Frames go to an address that nobody has: the interface stays up and no program is told.
    cut: () => neighbour('replace', 'lladdr', NOBODY, 'nud', 'permanent'),
    mend: () => neighbour('delete'),
    close: () => {
      for (const space of spaces) {
        ip('netns', 'delete', space);
        rmSync(join(SETTINGS, space), { recursive: true, force: true });
      }
    },
  };
}

function ip(...args: readonly string[]): void {
  execFileSync('ip', args, { stdio: ['ignore', 'ignore', 'pipe'], encoding: 'utf8' });
}
