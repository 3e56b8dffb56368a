// What a job asks of Slurm: a few common options by name, and any other of `sbatch`. Times are
// seconds unless they are Slurm's own texts.
import * as z from 'zod';

/** Slurm quotes nothing back: a value is one printable line without quotes. */
const word = z
  .string()
  .regex(/^[^\s"'\\#][^\n\r"'\\#]*$/, 'expected one line without quotes, \\ and #');

/** Options of `sbatch` that belong to the scripts themselves. */
const OURS = new Set(
  (
    'array chdir dependency error export input job-name kill-on-invalid-dep no-requeue nodes ntasks ' +
    'ntasks-per-node open-mode output parsable requeue signal test-only wait wrap'
  ).split(' '),
);

const extras = z
  .record(z.string(), z.union([z.literal(''), word]))
  .superRefine((options, { addIssue }) => {
    for (const name of Object.keys(options)) {
      const isName = /^[a-z][a-z0-9-]+$/.test(name);
      if (isName && !OURS.has(name)) continue;
      const message = isName
        ? 'the script sets this option itself'
        : 'expected the long name of an option of sbatch';
      addIssue({ code: 'custom', path: [name], message });
    }
  });

export interface SlurmConfig {
  readonly partition?: string | undefined;
  readonly account?: string | undefined;
  /** Time limit of a job as Slurm writes it: 30, 4:00:00, 1-12. */
  readonly time?: string | undefined;
  /** Processors of a task. */
  readonly cpus?: number | undefined;
  /** Memory of a node: 8G. */
  readonly mem?: string | undefined;
  /** GPUs of a node, with or without their type: 8, a100:4. */
  readonly gpus?: string | undefined;
  /** Tasks of an array job at most; shards are dealt to them. */
  readonly tasks: number;
  /** Before the time limit, a job is told this early to finish its shard or step. */
  readonly graceSeconds: number;
  /** Any other option of `sbatch`: name → value, '' for those without. */
  readonly sbatch: Readonly<Record<string, string>>;
}

/** As it is written in a recipe: every key may be left out. */
export type SlurmInput = { readonly [Key in keyof SlurmConfig]?: SlurmConfig[Key] | undefined };

export const slurmSchema: z.ZodType<SlurmConfig, SlurmInput> = z.strictObject({
  partition: word.optional(),
  account: word.optional(),
  time: z
    .string()
    .regex(/^(\d+-\d+(:\d+){0,2}|\d+(:\d+){0,2})$/, 'expected a time as 30, 4:00:00 or 1-12')
    .optional(),
  cpus: z.int().positive().optional(),
  mem: z
    .string()
    .regex(/^\d+[KMGT]?$/, 'expected a size as 8G')
    .optional(),
  gpus: z
    .string()
    .regex(/^([\w.-]+:)?\d+$/, 'expected a number as 8 or a100:4')
    .optional(),
  tasks: z.int().positive().max(100_000).default(64),
  graceSeconds: z.int().positive().max(65_535).default(120),
  sbatch: extras.default({}),
});
