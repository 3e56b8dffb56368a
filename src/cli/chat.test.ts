// `onevision chat` on a small checkpoint: answers, streaming, int8, and what is wrong with a question.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import sharp from 'sharp';
import { runCommand } from '../../test/support/run-command.ts';
import { saveSmallCheckpoint } from '../../test/support/small-checkpoint.ts';

const dir = mkdtempSync(join(tmpdir(), 'onevision-chat-'));
after(() => rmSync(dir, { recursive: true, force: true }));
const checkpoint = join(dir, 'model');
const picture = join(dir, 'picture.png');

before(async () => {
  await saveSmallCheckpoint(checkpoint);
  const pixels = { create: { width: 8, height: 8, channels: 3 as const, background: '#d03020' } };
  writeFileSync(picture, await sharp(pixels).png().toBuffer());
});

const given = ['chat', '--model', checkpoint, '--max-new-tokens', '6'];
const chat = (args: readonly string[]): ReturnType<typeof runCommand> =>
  runCommand([...given, ...args]);

/** As a process of its own, with lines on standard input. */
function talk(args: readonly string[], input: string): { status: number | null; output: string } {
  const all = ['src/cli/main.ts', ...given, ...args];
  const run = spawnSync(process.execPath, all, { encoding: 'utf8', input });
  return { status: run.status, output: run.stdout + run.stderr };
}

test('a question about two pictures, as JSON, in float32 and with int8 weights', async () => {
  const images = ['--image', picture, '--image', picture, '--json'];
  for (const extra of [[], ['--dtype', 'int8'], ['--temperature', '0.8', '--top-p', '0.9']]) {
    const { status, output } = await chat([...images, ...extra, 'Which is <image> or <image>?']);
    assert.equal(status, 0, output);
    const { text, ids, logProbs, finish } = JSON.parse(output);
    assert.ok(ids.length <= 6 && logProbs.length === ids.length && finish !== undefined);
    assert.ok(typeof text === 'string' && logProbs.every((value: number) => value <= 0));
  }
});

test('lines on the terminal are a conversation; a folder of frames is a video', async () => {
  const { status, output } = await chat(['--video', dir, '--seed', '1']);
  assert.equal(status, 2, 'a folder that holds a folder is no video');
  assert.match(output, /no such file/);
  const settings = ['--video', picture, '--system', 'Be brief.'];
  const talked = talk(settings, 'What is it?\n\nAnd now?\n');
  assert.equal(talked.status, 0, talked.output);
  assert.ok(talked.output.startsWith('> ') && talked.output.split('\n').length >= 3);
});

test('marks that do not match the pictures, and settings that cannot be', async () => {
  const more = await chat(['--image', picture, '<image> or <image>?']);
  assert.equal(more.status, 4);
  assert.match(more.output, /2 marks and 1 images[\s\S]*hint: write <image> once for every image/);
  const fewer = await chat(['--image', picture, '--image', picture, 'only <image>?']);
  assert.match(fewer.output, /1 marks and 2 images/);
  for (const [flag, value] of [
    ['--temperature', '-1'],
    ['--repetition-penalty', '0'],
    ['--dtype', 'int4'],
  ] as const) {
    assert.equal((await chat([flag, value, 'Hi'])).status, 2);
  }
});
