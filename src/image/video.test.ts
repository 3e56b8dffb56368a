// Which frames are seen, and the pages of animated files.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import sharp from 'sharp';
import { decodeImage } from './decode.ts';
import { readFrames, spreadFrames } from './video.ts';

test('few frames are all seen; of many, evenly spread ones with both ends', () => {
  assert.deepEqual(spreadFrames(3, 5), [0, 1, 2]);
  assert.deepEqual(spreadFrames(9, 3), [0, 4, 8]);
  assert.deepEqual(spreadFrames(1000).length, 32);
  assert.equal(spreadFrames(1000).at(-1), 999);
  assert.deepEqual(spreadFrames(7, 1), [0]);
  assert.deepEqual(spreadFrames(0), []);
});

test('pages of an animated GIF are frames in order', async () => {
  const colours = ['#f00', '#0f0', '#00f'];
  const pages = colours.map((background) => ({
    create: { width: 6, height: 4, channels: 3 as const, background },
  }));
  const files = await Promise.all(pages.map((page) => sharp(page).png().toBuffer()));
  const gif = await sharp(files, { join: { animated: true } })
    .gif()
    .toBuffer();
  const frames = await Promise.all((await readFrames(gif)).map((bytes) => decodeImage(bytes)));
  const corners = frames.map(({ data }) =>
    [...data.subarray(0, 3)].map((v) => Math.round(v / 255)),
  );
  assert.deepEqual(corners, [
    [1, 0, 0],
    [0, 1, 0],
    [0, 0, 1],
  ]);
  assert.deepEqual([frames[0]?.width, frames[0]?.height], [6, 4]);
  assert.equal((await readFrames(gif, 2)).length, 2);
  await assert.rejects(readFrames(Buffer.from('no film')), {
    code: 'data',
    hint: /folder of pictures/,
  });
});
