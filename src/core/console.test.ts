// Terminal, log and progress: what people see.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createLogger } from './log.ts';
import { createProgress, formatDuration, progressLine } from './progress.ts';
import { createTerminal } from './terminal.ts';

function fakeStream(isTTY: boolean): { text: string; isTTY: boolean; write(s: string): void } {
  return {
    text: '',
    isTTY,
    write(s) {
      this.text += s;
    },
  };
}

test('a line goes above the live line, which is drawn again', () => {
  const stream = fakeStream(true);
  const out = createTerminal(stream);
  out.live('50 %');
  out.line('hello');
  out.live('');
  assert.equal(stream.text, '\r\u001b[2K50 %\r\u001b[2Khello\n\r\u001b[2K50 %\r\u001b[2K');
});

test('levels filter; json makes one object a line', () => {
  const stream = fakeStream(false);
  const plain = createLogger(createTerminal(stream), { level: 'info', json: false });
  plain.debug('unseen');
  plain.info('packed', { packs: 3 });
  plain.warn('slow');
  assert.equal(stream.text, 'packed packs=3\nwarn: slow\n');
  stream.text = '';
  createLogger(createTerminal(stream), { level: 'debug', json: true }).error('bad', { n: 1 });
  const row: unknown = JSON.parse(stream.text);
  assert.ok(typeof row === 'object' && row !== null);
  assert.deepEqual({ ...row, time: '' }, { n: 1, time: '', level: 'error', message: 'bad' });
});

test('without a terminal progress is a plain line every five seconds and one at the end', () => {
  const stream = fakeStream(false);
  let nowMs = 0;
  const options = { label: 'render', total: 100, unit: 'images', now: () => nowMs };
  const progress = createProgress({ ...options, terminal: createTerminal(stream) });
  for (let i = 0; i < 100; i++) {
    nowMs += 100;
    progress.increment();
  }
  progress.finish();
  progress.finish();
  const lines = stream.text.trimEnd().split('\n');
  assert.deepEqual(lines, [
    'render  50/100 images  50 %  10/s  5 s left',
    'render  100/100 images  100 %  10/s',
  ]);
});

test('on a terminal progress is one redrawn line, gone at the end', () => {
  const stream = fakeStream(true);
  let nowMs = 0;
  const out = createTerminal(stream);
  using progress = createProgress({ label: 'x', terminal: out, now: () => nowMs });
  progress.update(1, 'note');
  nowMs = 50;
  progress.update(2);
  progress.finish();
  assert.equal(stream.text, '\r\u001b[2Kx  1  note\r\u001b[2K');
});

test('durations and unknown totals', () => {
  assert.equal(formatDuration(8.4), '8 s');
  assert.equal(formatDuration(200), '3 m 20 s');
  assert.equal(formatDuration(7500), '2 h 05 m');
  assert.equal(progressLine({ label: 'read', unit: 'MB' }, 3, 2), 'read  3 MB  1.5/s');
});
