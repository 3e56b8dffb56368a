// Fits a line by gradient descent: tensors, autograd, and memory that is freed by scope.
import { backward, fromArray, memory, noGrad, tidy } from '../src/tensor/index.ts';
import * as ops from '../src/tensor/ops.ts';

const x = fromArray([0, 1, 2, 3, 4], [5, 1]);
const y = fromArray([1, 3, 5, 7, 9], [5, 1]);
const weight = fromArray([0], [1, 1], { requiresGrad: true });
const bias = fromArray([0], [1], { requiresGrad: true });
const before = memory().numTensors;

for (let step = 0; step < 300; step++) {
  tidy(() => {
    const error = ops.sub(ops.linear(x, weight, { bias }), y);
    backward(ops.mean(ops.mul(error, error)));
    noGrad(() => {
      for (const parameter of [weight, bias]) {
        const { grad } = parameter;
        if (grad === null) continue;
        ops.sub_(parameter, grad, { alpha: 0.05 });
        ops.zero_(grad);
      }
    });
  });
}
console.log(`y = ${weight.item().toFixed(3)} x + ${bias.item().toFixed(3)}`);
console.log(`tensors left behind: ${memory().numTensors - before}`);
