// The one line of a long output that says why it ended.

/** What Slurm itself writes about jobs that it ends: never the reason. */
const OF_SLURM = /^(srun|slurmstepd)\b.*(CANCELLED|Terminated|Force Terminated|task|aborting)/i;
const ERROR = /^\s*(\[rank \d+\] )?(error\b|fatal\b|Uncaught\b|\w*Error\b)[^:]*:/i;

/** The last line that names an error, or else the last one that is not empty. */
export function errorLine(output: string): string {
  const lines = output
    .split(/[\r\n]+/)
    .map((line) => line.trimEnd())
    .filter((line) => line.trim() !== '' && !OF_SLURM.test(line));
  return (lines.findLast((line) => ERROR.test(line)) ?? lines.at(-1) ?? '').trim();
}
