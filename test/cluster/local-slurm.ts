// A Slurm of its own on this machine: munged, slurmctld and slurmd with all their files in a temporary
// folder and free ports, beside any Slurm that may be here. One node with two processors.
import { execFile, execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { hostname, tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';

export type Daemon = 'munged' | 'slurmctld' | 'slurmd';

export interface LocalSlurm {
  /** Everything of it, logs included. */
  readonly dir: string;
  /** What a client needs in its environment. */
  readonly env: Readonly<Record<'SLURM_CONF' | 'PATH', string>>;
  /** `kill -9`. */
  kill(daemon: Daemon): Promise<void>;
  start(daemon: Daemon): void;
  /** Runs a client command, such as `squeue`, and returns what it prints. */
  call(command: string, ...args: readonly string[]): Promise<string>;
  /** Ends all jobs and daemons and removes the folder. */
  stop(): Promise<void>;
}

const PATH = `${process.env['PATH']}:/usr/sbin:/sbin`;
const PATIENCE_MS = 60_000;
const NUM_CPUS = 2;

/** Why Slurm cannot be started here, or undefined. */
export function whyNoSlurm(): string | undefined {
  for (const command of ['munged', 'slurmctld', 'slurmd', 'sbatch', 'srun']) {
    const { error } = spawnSync(command, ['-V'], { env: { PATH } });
    if (error !== undefined) return `no ${command} here: test/cluster/install-slurm.sh installs it`;
  }
  return undefined;
}

/** @throws Error with the end of the logs when a daemon does not come up. */
export async function startSlurm(): Promise<LocalSlurm> {
  const dir = mkdtempSync(join(tmpdir(), 'onevision-slurm-'));
  chmodSync(dir, 0o755); // munged refuses folders that others may write to
  for (const name of ['state', 'spool']) mkdirSync(join(dir, name));
  const key = crypto.getRandomValues(new Uint8Array(128));
  writeFileSync(join(dir, 'munge.key'), key, { mode: 0o600 });
  const conf = join(dir, 'slurm.conf');
  writeFileSync(conf, settings(dir, await freePort(), await freePort()));
  const env = { PATH, SLURM_CONF: conf };
  const pidOf = (daemon: Daemon): number =>
    Number(readFileSync(join(dir, `${daemon}.pid`), 'utf8').trim());
  const commands: Readonly<Record<Daemon, readonly string[]>> = {
    munged: munged(dir),
    slurmctld: ['slurmctld'],
    slurmd: ['slurmd'],
  };
  const start = (daemon: Daemon): void => {
    const [command = '', ...args] = commands[daemon];
    execFileSync(command, args, { env, stdio: ['ignore', 'ignore', 'pipe'] });
  };
  const kill = async (daemon: Daemon): Promise<void> => {
    const pid = pidOf(daemon);
    process.kill(pid, 'SIGKILL');
    await until(() => !isAlive(pid), `${daemon} to end`);
  };
  const call = async (command: string, ...args: readonly string[]): Promise<string> =>
    (await promisify(execFile)(command, args, { env: { ...process.env, ...env } })).stdout;
  for (const daemon of ['munged', 'slurmctld', 'slurmd'] as const) start(daemon);
  const isIdle = async (): Promise<boolean> =>
    (await call('sinfo', '-h', '-o', '%T').catch(() => '')).trim() === 'idle';
  await until(isIdle, `the node to be idle; see ${dir}/*.log`);
  const stop = async (): Promise<void> => {
    await call('scancel', '--user', userInfo().username).catch(() => undefined);
    const isEmpty = async (): Promise<boolean> => (await call('squeue', '-h')) === '';
    await until(isEmpty, 'the queue to be empty').catch(() => undefined);
    for (const daemon of ['slurmd', 'slurmctld', 'munged'] as const) {
      await kill(daemon).catch(() => undefined); // nobody needs its state: the folder goes
    }
    rmSync(dir, { recursive: true, force: true });
  };
  return { dir, env, kill, start, call, stop };
}

function munged(dir: string): string[] {
  const file = (option: string, name: string): string => `--${option}=${join(dir, name)}`;
  return [
    'munged',
    file('socket', 'munge.socket'),
    file('key-file', 'munge.key'),
    file('pid-file', 'munged.pid'),
    file('log-file', 'munged.log'),
    file('seed-file', 'munged.seed'),
  ];
}

function settings(dir: string, controllerPort: number, nodePort: number): string {
  const { username } = userInfo();
  const host = hostname().split('.')[0] ?? 'localhost';
  return [
    'ClusterName=onevision',
    `SlurmctldHost=${host}(127.0.0.1)`,
    `SlurmctldPort=${controllerPort}`,
    `SlurmdPort=${nodePort}`,
    'AuthType=auth/munge',
    // A requeued job waits as long as its credential lives: 120 s, or 5 at least.
    `AuthInfo=socket=${join(dir, 'munge.socket')},cred_expire=5`,
    `SlurmUser=${username}`,
    `SlurmdUser=${username}`,
    `StateSaveLocation=${join(dir, 'state')}`,
    `SlurmdSpoolDir=${join(dir, 'spool')}`,
    ...['slurmctld', 'slurmd'].flatMap((daemon) => {
      const name = daemon === 'slurmd' ? 'Slurmd' : 'Slurmctld';
      return [
        `${name}PidFile=${join(dir, `${daemon}.pid`)}`,
        `${name}LogFile=${join(dir, `${daemon}.log`)}`,
      ];
    }),
    'ProctrackType=proctrack/linuxproc',
    'TaskPlugin=task/none',
    'JobAcctGatherType=jobacct_gather/none',
    'MpiDefault=none',
    'SelectType=select/cons_tres',
    'SelectTypeParameters=CR_CPU',
    'SchedulerParameters=batch_sched_delay=0,sched_interval=1,bf_interval=1',
    'ReturnToService=2',
    'KillWait=5',
    // Two processors for Slurm, also where the machine has one.
    'SlurmdParameters=config_overrides',
    'MessageTimeout=2',
    `NodeName=${host} NodeAddr=127.0.0.1 CPUs=${NUM_CPUS} RealMemory=2000`,
    'PreemptType=preempt/partition_prio',
    'PreemptMode=REQUEUE',
    'PartitionName=main Nodes=ALL Default=YES MaxTime=INFINITE State=UP PriorityTier=1',
    'PartitionName=urgent Nodes=ALL MaxTime=INFINITE State=UP PriorityTier=2',
    '',
  ].join('\n');
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === 'object' && address !== null ? address.port : 0;
}

/** Asks every 50 ms. @throws Error naming what did not come. */
export async function until(
  isTrue: () => boolean | Promise<boolean>,
  what: string,
  patienceMs: number = PATIENCE_MS,
): Promise<void> {
  const end = performance.now() + patienceMs;
  while (!(await isTrue())) {
    if (performance.now() > end) throw new Error(`waited ${patienceMs / 1000} s for ${what}`);
    await sleep(50);
  }
}

/** False for a process that has ended, also where nobody has asked for its exit code yet. */
export function isAlive(pid: number): boolean {
  try {
    const stat = readFileSync(join('/', 'proc', String(pid), 'stat'), 'utf8');
    return !/\) [ZX] /.test(stat);
  } catch {
    return false;
  }
}
