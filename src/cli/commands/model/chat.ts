// `onevision chat`: asks a model about pictures. One question, or a conversation on the terminal.
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline/promises';
import { Command, InvalidArgumentError, Option } from 'commander';
import { OneVisionError } from '../../../core/errors.ts';
import type { Chat, ChatSettings } from '../../conversation.ts';
import { collect, parseWhole } from '../../options.ts';

interface ChatOptions {
  readonly run: string;
  readonly model?: string;
  readonly image?: readonly string[];
  readonly video?: readonly string[];
  readonly system?: string;
  readonly device: string;
  readonly dtype?: 'float32' | 'bfloat16' | 'int8';
  readonly maxNewTokens: number;
  readonly temperature: number;
  readonly topK: number;
  readonly topP: number;
  readonly repetitionPenalty: number;
  readonly stop?: readonly string[];
  readonly seed: number;
  readonly json?: boolean;
}

/** A picture file larger than this is not one. */
const MAX_IMAGE_BYTES = 64 * 2 ** 20;

export function chatCommand(): Command {
  return new Command('chat')
    .description('ask a model about pictures, once or in a conversation')
    .argument('[question]', 'one question; without it, a conversation')
    .option('--run <folder>', 'its last checkpoint is asked', 'runs/demo')
    .option('--model <folder>', 'model folder, in the place of a run')
    .option('--image <file>', 'a picture; repeatable', collect)
    .option('--video <path>', 'folder of frames, or GIF or WebP; repeatable', collect)
    .option('--system <text>', 'system prompt')
    .option('--device <name>', 'cpu, cuda, cuda:1', 'cpu')
    .addOption(
      new Option('--dtype <type>', 'of the weights').choices(['float32', 'bfloat16', 'int8']),
    )
    .option('--max-new-tokens <n>', 'longest answer', parseWhole, 64)
    .option('--temperature <n>', '0 takes the likeliest token', parseNumber, 0)
    .option('--top-k <n>', 'draw among the k likeliest; 0 = all', parseWhole, 0)
    .option('--top-p <n>', 'draw among those that reach p', parseNumber, 1)
    .option('--repetition-penalty <n>', 'above 1: fewer repetitions', parsePenalty, 1)
    .option('--stop <text>', 'a text that ends the answer; repeatable', collect)
    .option('--seed <n>', 'of the draws', parseWhole, 0)
    .option('--json', 'print JSON')
    .action(chat);
}

async function chat(question: string | undefined, options: ChatOptions): Promise<void> {
  const { openChat } = await import('../../conversation.ts');
  const { lastCheckpoint } = await import('../../train-run.ts');
  const settings = await readSettings(options);
  const folder = options.model ?? (await lastCheckpoint(options.run));
  using open = openChat(folder, settings);
  if (question !== undefined) {
    await answer(open, question, options.json === true);
    return;
  }
  const terminal = createInterface({ input: process.stdin, output: process.stdout });
  // Input that is not a terminal ends before its lines are answered.
  let isOpen = true;
  terminal.on('close', () => {
    isOpen = false;
  });
  terminal.setPrompt('> ');
  terminal.prompt();
  for await (const line of terminal) {
    if (line.trim() !== '') await answer(open, line, options.json === true);
    if (isOpen) terminal.prompt();
  }
}

async function answer(open: Chat, question: string, json: boolean): Promise<void> {
  const write = (text: string): boolean => process.stdout.write(text);
  const { text, finish, ids, logProbs } = await open.ask(question, json ? undefined : write);
  const record = { text, finish, ids: [...ids], logProbs: [...logProbs] };
  write(json ? `${JSON.stringify(record)}\n` : '\n');
}

async function readSettings(options: ChatOptions): Promise<ChatSettings> {
  const {
    device,
    dtype,
    maxNewTokens,
    temperature,
    topK,
    topP,
    repetitionPenalty,
    stop = [],
    seed,
  } = options;
  const type = dtype === 'int8' ? { weights: dtype } : dtype === undefined ? {} : { dtype };
  const videos: Uint8Array[][] = [];
  for (const path of options.video ?? []) videos.push(await readVideo(path));
  return {
    images: (options.image ?? []).map(readImage),
    videos,
    system: options.system,
    load: { ...type, device },
    generate: { maxNewTokens, temperature, topK, topP, repetitionPenalty, stop, seed },
  };
}

async function readVideo(path: string): Promise<Uint8Array[]> {
  const { readFrames, spreadFrames } = await import('../../../image/video.ts');
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory() !== true) {
    return readFrames(readImage(path));
  }
  const names = readdirSync(path).sort();
  return spreadFrames(names.length).map((i) => readImage(join(path, names[i] as string)));
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

function parseNumber(text: string): number {
  const value = Number(text);
  if (text.trim() !== '' && value >= 0 && Number.isFinite(value)) return value;
  throw new InvalidArgumentError('Expected a number of at least 0.');
}

function parsePenalty(text: string): number {
  const value = parseNumber(text);
  if (value > 0) return value;
  throw new InvalidArgumentError('Expected a number above 0.');
}
