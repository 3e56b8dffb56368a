// `onevision replies`: what can be done with the replies that `onevision eval` stored.
import { Command } from 'commander';
import { disagreementsCommand } from './disagreements.ts';
import { submissionCommand } from './submission.ts';

export function repliesCommand(): Command {
  return new Command('replies')
    .description('stored replies: where rules differ, files for servers')
    .addCommand(disagreementsCommand())
    .addCommand(submissionCommand());
}
