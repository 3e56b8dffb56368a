#!/usr/bin/env node
// The command line: registers one file a command and turns errors into help. Loads no engine.
import { Command, CommanderError } from 'commander';
import { captionCommand } from './commands/caption.ts';
import { chatCommand } from './commands/chat.ts';
import { conceptsCommand } from './commands/concepts.ts';
import { convertCommand } from './commands/convert.ts';
import { curateCommand } from './commands/curate.ts';
import { dataCommand } from './commands/data.ts';
import { demoCommand } from './commands/demo.ts';
import { doctorCommand } from './commands/doctor.ts';
import { downloadCommand } from './commands/download.ts';
import { evalCommand } from './commands/eval.ts';
import { packCommand } from './commands/pack.ts';
import { trainCommand } from './commands/train.ts';
import { reportError } from './report-error.ts';

const program = new Command('onevision')
  .description('Build a vision-language model from nothing: curate, pack, train, evaluate, chat.')
  .option('--debug', 'show stacks of errors')
  .showSuggestionAfterError()
  .exitOverride();

const COMMANDS = [
  demoCommand,
  doctorCommand,
  curateCommand,
  downloadCommand,
  captionCommand,
  conceptsCommand,
  dataCommand,
  packCommand,
  trainCommand,
  evalCommand,
  chatCommand,
  convertCommand,
];
for (const make of COMMANDS) {
  const command = make();
  for (const part of [command, ...command.commands]) part.copyInheritedSettings(program);
  program.addCommand(command);
}

try {
  await program.parseAsync();
} catch (error) {
  if (error instanceof CommanderError) process.exitCode = error.exitCode === 0 ? 0 : 2;
  else process.exitCode = reportError(error, { debug: program.opts()['debug'] === true });
}
