// An adapter made and merged by PEFT: golden/lora (make-lora.py).
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { mergeAdapter } from '../../src/model/convert/lora.ts';
import { openSafetensors } from '../../src/tensor/safetensors.ts';
import { maxDifference } from '../support/gradients.ts';

const at = (name: string): string => new URL(`golden/${name}`, import.meta.url).pathname;

test('merged weights equal merge_and_unload: ranks and scales by pattern, a saved module', () => {
  using stored = openSafetensors(at('onevision.safetensors'));
  using expected = openSafetensors(at('lora/merged.safetensors'));
  const weights = stored.names.filter((name) => name.startsWith('weight/'));
  const base = new Map(weights.map((name) => [name.slice(7), stored.lazy(name)]));
  using merged = mergeAdapter(base, at('lora'));
  assert.equal(merged.numChanged, expected.names.length);
  assert.equal(merged.numChanged, 5);
  for (const [name, tensor] of merged.tensors) {
    const old = stored.tensor(`weight/${name}`);
    if (!expected.names.includes(name)) {
      assert.deepEqual(tensor.read().toNumbers(), old.toNumbers(), name);
      continue;
    }
    assert.ok(maxDifference(tensor.read(), expected.tensor(name)) < 1e-6, name);
    assert.ok(maxDifference(tensor.read(), old) > 1e-2, name);
  }
});
