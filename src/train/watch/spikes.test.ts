// Spikes: a jump of loss or gradient is named, noise and learning are not, and a resumed run judges as
// the uninterrupted one.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createRandom } from '../../core/hash.ts';
import { Spikes, type StepNumbers } from './spikes.ts';

/** A falling, noisy loss. */
function step(i: number): StepNumbers {
  const random = createRandom('spikes', i);
  return {
    loss: 2 + 3 * Math.exp(-i / 50) + 0.1 * random.normal(),
    gradNorm: Math.exp(0.4 * random.normal()),
  };
}

test('noise and learning are no spikes', () => {
  const spikes = new Spikes();
  for (let i = 0; i < 500; i += 1) assert.equal(spikes.judge(step(i)), undefined, `${i}`);
  assert.equal(spikes.recent.length, 32);
});

test('a jump of the loss and one of the gradient are named, and are not learned from', () => {
  const spikes = new Spikes();
  for (let i = 0; i < 100; i += 1) spikes.judge(step(i));
  for (let repeat = 0; repeat < 40; repeat += 1) {
    assert.match(spikes.judge({ loss: 6, gradNorm: 1 }) ?? '', /^loss 6\.0000 above/);
    assert.match(spikes.judge({ loss: 2.4, gradNorm: 60 }) ?? '', /^gradient norm 60\.00 above/);
  }
  assert.equal(spikes.judge(step(101)), undefined);
});

test('the first steps are not judged', () => {
  const spikes = new Spikes();
  assert.equal(spikes.judge({ loss: 1, gradNorm: 1 }), undefined);
  assert.equal(spikes.judge({ loss: 100, gradNorm: 1000 }), undefined);
});

test('a resumed run judges as the uninterrupted one', () => {
  const whole = new Spikes();
  for (let i = 0; i < 80; i += 1) whole.judge(step(i));
  const resumed = new Spikes(JSON.parse(JSON.stringify(whole.recent)));
  for (let i = 80; i < 200; i += 1) {
    const numbers = i % 17 === 0 ? { loss: 9, gradNorm: 1 } : step(i);
    assert.equal(resumed.judge(numbers), whole.judge(numbers));
  }
  assert.deepEqual(resumed.recent, whole.recent);
});
