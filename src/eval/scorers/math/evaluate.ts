// The value of an expression tree in double precision, with values for its names. Pure and total.
import type { BinaryOp, Expression } from './expression.ts';

const CONSTANTS: Readonly<Record<string, number>> = { pi: Math.PI, π: Math.PI, e: Math.E };

type Unary = (x: number) => number;
const UNARY: Readonly<Record<string, Unary>> = {
  sin: Math.sin,
  cos: Math.cos,
  tan: Math.tan,
  cot: (x) => 1 / Math.tan(x),
  sec: (x) => 1 / Math.cos(x),
  csc: (x) => 1 / Math.sin(x),
  arcsin: Math.asin,
  arccos: Math.acos,
  arctan: Math.atan,
  sinh: Math.sinh,
  cosh: Math.cosh,
  tanh: Math.tanh,
  ln: Math.log,
  exp: Math.exp,
  abs: Math.abs,
  factorial,
};

/** `NaN` where a name has no value or the value is not real. Numbers are doubles: no growth. */
export function evaluate(expression: Expression, names: ReadonlyMap<string, number>): number {
  switch (expression.kind) {
    case 'number':
      return expression.value;
    case 'name':
      return names.get(expression.name) ?? CONSTANTS[expression.name] ?? Number.NaN;
    case 'binary':
      return apply(expression.op, evaluate(expression.a, names), evaluate(expression.b, names));
    case 'call':
      return call(
        expression.name,
        expression.args.map((argument) => evaluate(argument, names)),
      );
  }
}

/** The names that stand in an expression, constants left out. */
export function namesOf(expression: Expression, found: Set<string> = new Set()): Set<string> {
  if (expression.kind === 'name' && !(expression.name in CONSTANTS)) found.add(expression.name);
  if (expression.kind === 'binary') {
    namesOf(expression.a, found);
    namesOf(expression.b, found);
  }
  if (expression.kind === 'call') for (const argument of expression.args) namesOf(argument, found);
  return found;
}

function apply(op: BinaryOp, a: number, b: number): number {
  switch (op) {
    case '+':
      return a + b;
    case '-':
      return a - b;
    case '*':
      return a * b;
    case '/':
      return a / b;
    case '^':
      return a ** b;
  }
}

function call(name: string, [x = Number.NaN, y = Number.NaN]: readonly number[]): number {
  if (name === 'root') return root(x, y);
  if (name === 'log') return Math.log(x) / Math.log(y);
  if (name === 'binomial') return factorial(x) / factorial(y) / factorial(x - y);
  return UNARY[name]?.(x) ?? Number.NaN;
}

/** An odd root of a negative number is real. */
function root(x: number, index: number): number {
  if (index === 2) return Math.sqrt(x);
  if (index === 3) return Math.cbrt(x);
  return x < 0 && index % 2 === 1 ? -((-x) ** (1 / index)) : x ** (1 / index);
}

function factorial(n: number): number {
  if (!Number.isInteger(n) || n < 0) return Number.NaN;
  if (n > 170) return Number.POSITIVE_INFINITY;
  let product = 1;
  for (let factor = 2; factor <= n; factor++) product *= factor;
  return product;
}
