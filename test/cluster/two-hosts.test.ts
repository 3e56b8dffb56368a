// Two processes talk across the two hosts; a cut cable is silence, a mended one lets them go on.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { until } from './local-slurm.ts';
import { openTwoHosts, whyNoHosts } from './two-hosts.ts';

/** Answers every line with itself. */
const ECHO = `require('node:net').createServer((peer) => peer.pipe(peer)).listen(7000, '0.0.0.0',
  () => console.log('listening'))`;
/** Counts aloud what comes back. */
const COUNT = `const peer = require('node:net').connect(7000, 'host-0');
  peer.on('data', (bytes) => console.log(peer.remoteAddress, bytes.length));
  setInterval(() => peer.write('.'), 20)`;

test('two hosts talk until the cable is cut', { skip: whyNoHosts() ?? false }, async () => {
  const two = openTwoHosts();
  const [first, second] = two.hosts;
  const server = first.spawn(process.execPath, ['-e', ECHO]);
  let heard = '';
  let isReady = false;
  server.stdout?.on('data', () => {
    isReady = true;
  });
  try {
    await until(() => isReady, 'the first host');
    const client = second.spawn(process.execPath, ['-e', COUNT]);
    client.stdout?.on('data', (bytes: Buffer) => {
      heard += bytes.toString();
    });
    try {
      await until(() => heard.length > 100, 'an answer');
      assert.match(heard, /^10\.77\.0\.1 \d+$/m);
      two.cut();
      await sleep(100);
      const before = heard;
      await sleep(400);
      assert.equal(heard, before, 'silence');
      two.mend();
      await until(() => heard.length > before.length + 20, 'an answer after the mend');
    } finally {
      client.kill('SIGKILL');
    }
  } finally {
    server.kill('SIGKILL');
    two.close();
  }
});
