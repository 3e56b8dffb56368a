// The text of a batch script: a pure function of what is asked. It holds no input beside checked
// options and quoted paths; all else is in JSON files that the command names.
import { dirname } from 'node:path';
import { OneVisionError } from '../../core/errors.ts';
import type { SlurmConfig } from './config.ts';

/** What is written into a script beside the resources. */
export interface ScriptPlan {
  readonly name: string;
  /** Where the job's output is appended to; Slurm's patterns (%4a) are allowed in the file name. */
  readonly log: string;
  /** Task numbers of an array job. */
  readonly array?: readonly number[] | undefined;
  /** Nodes and processes on each; one process when absent. */
  readonly ranks?: { readonly nodes: number; readonly perNode: number } | undefined;
  /** Jobs that have to end well before it starts. */
  readonly after?: readonly string[];
  /** Program and arguments. */
  readonly command: readonly string[];
}

/** The signal that tells a job to come to an end: Node keeps USR1 for its debugger. */
export const STOP_SIGNAL = 'SIGUSR2';

/** @throws OneVisionError 'usage' for a path that cannot stand in a script. */
export function batchScript(plan: ScriptPlan, config: SlurmConfig): string {
  if (dirname(plan.log).includes('%')) throw wrongPath(plan.log); // Slurm would fill in a pattern
  const lines = Object.entries(directives(plan, config)).map(([name, value]) =>
    value === '' ? `#SBATCH --${name}` : `#SBATCH --${name}=${quoteOption(value)}`,
  );
  const command = plan.command.map(quoteShell).join(' ');
  return ['#!/bin/bash', '# Written by onevision.', ...lines, `exec ${command}`, ''].join('\n');
}

function directives(plan: ScriptPlan, config: SlurmConfig): Record<string, string> {
  const { array, ranks, after = [] } = plan;
  return {
    'job-name': plan.name,
    ...(array === undefined ? {} : { array: ranges(array) }),
    ...(after.length === 0 ? {} : { dependency: `afterok:${after.join(':')}` }),
    ...(after.length === 0 ? {} : { 'kill-on-invalid-dep': 'yes' }),
    output: plan.log,
    'open-mode': 'append',
    requeue: '',
    signal: `B:${STOP_SIGNAL.slice(3)}@${config.graceSeconds}`,
    ...(ranks === undefined
      ? { nodes: '1', ntasks: '1' }
      : { nodes: String(ranks.nodes), 'ntasks-per-node': String(ranks.perNode) }),
    ...resources(config),
    ...config.sbatch,
  };
}

function resources(config: SlurmConfig): Record<string, string> {
  const { partition, account, time, cpus, mem, gpus } = config;
  const all: Readonly<Record<string, string | number | undefined>> = {
    partition,
    account,
    time,
    'cpus-per-task': cpus,
    mem,
    'gpus-per-node': gpus,
  };
  const given = Object.entries(all).filter(([, value]) => value !== undefined);
  return Object.fromEntries(given.map(([name, value]) => [name, String(value)]));
}

/** `[0, 1, 2, 5]` → `0-2,5`. */
export function ranges(numbers: readonly number[]): string {
  const parts: [number, number][] = [];
  for (const number of numbers) {
    const last = parts.at(-1);
    if (last !== undefined && last[1] === number - 1) last[1] = number;
    else parts.push([number, number]);
  }
  return parts.map(([from, to]) => (from === to ? String(from) : `${from}-${to}`)).join(',');
}

function quoteOption(value: string): string {
  if (/^[\w@:,./%=+-]+$/.test(value)) return value;
  if (!/["'\\\n\r]/.test(value)) return `"${value}"`;
  throw wrongPath(value);
}

function wrongPath(path: string): OneVisionError {
  return new OneVisionError(
    'usage',
    `Expected a folder that can stand in a batch script, without quotes, \\, % and line breaks, ` +
      `got ${JSON.stringify(path)}.`,
    { hint: 'choose another run or output folder' },
  );
}

/** One word of bash, whatever is in it. */
function quoteShell(word: string): string {
  return `'${word.replaceAll("'", "'\\''")}'`;
}
