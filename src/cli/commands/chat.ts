// `onevision chat`: asks a model about a picture. One question, or a conversation on the terminal.
import { readFileSync, statSync } from 'node:fs';
import { createInterface } from 'node:readline/promises';
import { Command } from 'commander';
import { OneVisionError } from '../../core/errors.ts';
import { parseWhole } from '../options.ts';

interface ChatOptions {
  readonly run: string;
  readonly checkpoint?: string;
  readonly image?: string;
  readonly maxNewTokens: number;
}

/** A picture file larger than this is not one. */
const MAX_IMAGE_BYTES = 64 * 2 ** 20;

export function chatCommand(): Command {
  return new Command('chat')
    .description('ask the model of a run, or of any checkpoint folder, about a picture')
    .argument('[question]', 'one question; without it, a conversation')
    .option('--run <folder>', 'run folder', 'runs/demo')
    .option('--checkpoint <folder>', 'a Hugging Face model folder instead of a run')
    .option('--image <file>', 'the picture')
    .option('--max-new-tokens <number>', 'longest answer', parseWhole, 64)
    .action(async (question: string | undefined, options: ChatOptions) => {
      const { openChat } = await import('../conversation.ts');
      const { lastCheckpoint } = await import('../train-run.ts');
      const images = options.image === undefined ? [] : [readImage(options.image)];
      const folder = options.checkpoint ?? (await lastCheckpoint(options.run));
      using chat = openChat(folder, images, options.maxNewTokens);
      if (question !== undefined) {
        await chat.ask(question, (text) => process.stdout.write(text));
        process.stdout.write('\n');
        return;
      }
      const terminal = createInterface({ input: process.stdin, output: process.stdout });
      terminal.setPrompt('> ');
      terminal.prompt();
      for await (const line of terminal) {
        if (line.trim() !== '') {
          await chat.ask(line, (text) => process.stdout.write(text));
          process.stdout.write('\n');
        }
        terminal.prompt();
      }
    });
}

function readImage(path: string): Uint8Array {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (stat?.isFile() !== true) {
    throw new OneVisionError('usage', `Expected a picture at ${path}; there is no such file.`);
  }
  if (stat.size > MAX_IMAGE_BYTES) {
    throw new OneVisionError(
      'data',
      `Expected a picture of at most 64 MiB, ${path} has ${stat.size} bytes.`,
    );
  }
  return readFileSync(path);
}
