// The tree of parameters: names, seeds, freezing, freeing.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { memory } from '../tensor/index.ts';
import { freshParameters } from './init.ts';
import { Linear } from './linear.ts';
import { SwiGlu } from './mlp.ts';
import { Module, Scope } from './module.ts';

function scope(seed = 1): Scope {
  return new Scope(freshParameters({ seed }));
}

test('names are Hugging Face’s, in order of creation', () => {
  const mlp = new SwiGlu(scope().child('model.layers.0').child('mlp'), 4, 6);
  assert.deepEqual(
    [...mlp.namedParameters().keys()],
    ['gate', 'up', 'down'].map((name) => `model.layers.0.mlp.${name}_proj.weight`),
  );
  assert.equal(mlp.numParameters, 3 * 24);
});

test('a parameter’s values depend on seed and name only', () => {
  const alone = new Linear(scope().child('b'), 4, 4, { bias: false });
  const shared = scope();
  new Linear(shared.child('a'), 9, 3, { bias: true });
  const second = new Linear(shared.child('b'), 4, 4, { bias: false });
  assert.deepEqual(second.weight.toNumbers(), alone.weight.toNumbers());
  const other = new Linear(scope(2).child('b'), 4, 4, { bias: false });
  assert.notDeepEqual(other.weight.toNumbers(), alone.weight.toNumbers());
});

test('fresh matrices have the asked spread, biases are zero', () => {
  const source = freshParameters({ seed: 5, std: 0.5 });
  const linear = new Linear(new Scope(source), 100, 100, { bias: true });
  const values = linear.weight.toNumbers();
  const variance = values.reduce((sum, x) => sum + x * x, 0) / values.length;
  assert.ok(Math.abs(Math.sqrt(variance) - 0.5) < 0.02);
  assert.ok(linear.bias?.toNumbers().every((x) => x === 0));
});

test('freezing reaches every parameter; disposing frees them', () => {
  const before = memory().numTensors;
  {
    using mlp = new SwiGlu(scope(), 4, 6);
    mlp.setRequiresGrad(true);
    assert.ok([...mlp.namedParameters().values()].every((p) => p.requiresGrad));
    mlp.setRequiresGrad(false);
    assert.ok([...mlp.namedParameters().values()].every((p) => !p.requiresGrad));
  }
  assert.equal(memory().numTensors, before);
});

test('a name used twice and a source of the wrong shape are refused', () => {
  const twice = scope();
  const module = new Module(twice);
  assert.equal(module.numParameters, 0);
  twice.parameter('weight', [2], 'zeros');
  assert.throws(() => twice.parameter('weight', [2], 'zeros'), { message: /weight again/ });
  const source = freshParameters({ seed: 1 });
  const wrong = new Scope((name, _shape, init) => source(name, [3], init));
  assert.throws(() => wrong.parameter('weight', [2], 'zeros'), { message: /shape \[2\]/ });
});
