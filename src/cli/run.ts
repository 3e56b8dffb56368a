// All commands as one program: arguments in, exit code out; errors become help. Loads no engine.
import { Command, CommanderError } from 'commander';
import { captionCommand } from './commands/data/caption.ts';
import { conceptsCommand } from './commands/data/concepts.ts';
import { curateCommand } from './commands/data/curate.ts';
import { dataCommand } from './commands/data/data.ts';
import { downloadCommand } from './commands/data/download.ts';
import { packCommand } from './commands/data/pack.ts';
import { demoCommand } from './commands/demo.ts';
import { doctorCommand } from './commands/doctor.ts';
import { jobsCommand } from './commands/jobs.ts';
import { chatCommand } from './commands/model/chat.ts';
import { convertCommand } from './commands/model/convert.ts';
import { evalCommand } from './commands/model/eval.ts';
import { planCommand } from './commands/model/plan.ts';
import { repliesCommand } from './commands/model/replies.ts';
import { trainCommand } from './commands/model/train.ts';
import { shortHelp } from './commands/short-help.ts';
import { reportError } from './report-error.ts';

const COMMANDS = [
  demoCommand,
  doctorCommand,
  jobsCommand,
  curateCommand,
  downloadCommand,
  captionCommand,
  conceptsCommand,
  dataCommand,
  packCommand,
  planCommand,
  trainCommand,
  evalCommand,
  repliesCommand,
  chatCommand,
  convertCommand,
];

/** The program with all its commands. */
export function createProgram(): Command {
  const program = new Command('onevision')
    .description('Build a vision-language model from nothing: curate, pack, train, evaluate, chat.')
    .option('--debug', 'show stacks of errors')
    .configureHelp(shortHelp)
    .showSuggestionAfterError()
    .exitOverride();
  for (const make of COMMANDS) {
    const command = make();
    for (const part of [command, ...command.commands]) part.copyInheritedSettings(program);
    program.addCommand(command);
  }
  return program;
}

/** Runs a command line. @returns the exit code */
export async function run(args: readonly string[]): Promise<number> {
  const program = createProgram();
  try {
    await program.parseAsync(args, { from: 'user' });
    return 0;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    return reportError(error, { debug: program.opts()['debug'] === true });
  }
}
