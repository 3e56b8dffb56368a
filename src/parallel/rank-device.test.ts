// Each rank's device and backend, and what is said where one is missing.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { native } from '../tensor/native.ts';
import { ALONE, type Place } from './place.ts';
import { ProcessGroup } from './process-group.ts';
import { rankDevice } from './rank-device.ts';

const place: Place = { ...ALONE, rank: 5, size: 8, localRank: 1, localSize: 4 };
const devices = ['cuda:0', 'cuda:1', 'cuda:2', 'cuda:3'];
const whyNoNccl = 'no nccl.h was found';

test('ranks on the processor use Gloo, those on CUDA NCCL and the device of their number', () => {
  const none = { devices: [], whyNoNccl };
  assert.deepEqual(rankDevice('cpu', place, none), { device: 'cpu', backend: 'gloo' });
  assert.deepEqual(rankDevice('cuda:2', ALONE, none), { device: 'cuda:2', backend: 'gloo' });
  const full = { devices, whyNoNccl: null };
  assert.deepEqual(rankDevice('cuda', place, full), { device: 'cuda:1', backend: 'nccl' });
});

test('a task to which Slurm shows one device takes that', () => {
  const one = { devices: ['cuda:0'], whyNoNccl: null };
  assert.throws(() => rankDevice('cuda', place, one), /each of the 4 ranks .*came 1; rank 5/);
  process.env['SLURM_GPUS_PER_TASK'] = '1';
  try {
    assert.deepEqual(rankDevice('cuda', place, one), { device: 'cuda:0', backend: 'nccl' });
  } finally {
    delete process.env['SLURM_GPUS_PER_TASK'];
  }
});

test('one device for several ranks, no NCCL and too few devices are named', () => {
  const full = { devices, whyNoNccl: null };
  assert.throws(() => rankDevice('cuda:1', place, full), {
    code: 'recipe',
    message: 'expected device cuda for 8 ranks, of which each takes its own, came cuda:1',
  });
  assert.throws(() => rankDevice('cuda', place, { devices, whyNoNccl }), {
    code: 'parallel',
    message: /an addon with NCCL for ranks on CUDA, came one without: no nccl\.h was found/,
  });
  const two = { devices: devices.slice(0, 1), whyNoNccl: null };
  assert.throws(() => rankDevice('cuda', place, two), { code: 'parallel', message: /rank 5 has/ });
});

test('an addon without NCCL says why, also to who opens a group all the same', (t) => {
  const reason = native().whyNoNccl();
  if (reason === null) return t.skip('this addon has NCCL');
  assert.match(reason, /processor alone|no .+ was found/);
  const alone: Place = { ...ALONE, port: 29_871 };
  assert.throws(() => ProcessGroup.open(alone, { backend: 'nccl', timeoutMs: 5000 }), {
    code: 'parallel',
    message: /expected an addon with NCCL for ranks on CUDA, came one without: /,
  });
});
