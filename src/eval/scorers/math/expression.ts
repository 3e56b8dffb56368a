// A mathematical expression in LaTeX as a tree: own tokenizer and recursive parser, both bounded.
// Pure: no text of a model is ever run. What is not understood has no tree.

export type Expression =
  /** `exact`: written without a decimal point. */
  | { readonly kind: 'number'; readonly value: number; readonly exact: boolean }
  | { readonly kind: 'name'; readonly name: string }
  | {
      readonly kind: 'binary';
      readonly op: BinaryOp;
      readonly a: Expression;
      readonly b: Expression;
    }
  | { readonly kind: 'call'; readonly name: string; readonly args: readonly Expression[] };

export type BinaryOp = '+' | '-' | '*' | '/' | '^';

const MAX_LENGTH = 2000;
const MAX_DEPTH = 60;
const MAX_NODES = 1000;

/**
 * Whose grammar: `latex` reads what people write; `latex2sympy` what that parser of the Python world
 * reads, so that lmms-eval's verdicts can be met: arguments in braces only, powers from the left, no
 * mixed numbers, no text, and a rest behind a closing bracket or full stop is ignored.
 */
export type Dialect = 'latex' | 'latex2sympy';

const TOKENS: Readonly<Record<Dialect, RegExp>> = {
  latex:
    /\s+|\\[!,;: ]|\\q?quad\b|(?<number>\d+(?:,\d{3})+(?!\d)(?:\.\d+)?|\d+\.?\d*|\.\d+)|(?<command>\\[a-zA-Z]+|\\[{}%|])|(?<sign>[-+*/^_!|(){}[\],=<>:%′'])|(?<letter>\p{L})|(?<bad>.)/gsu,
  latex2sympy:
    /\s+|~|\\,|\\q?quad\b|(?<number>\d+(?:,\d{3})*(?:\.\d+)?|\.\d+)|(?<command>\\[a-zA-Z]+|\\[{}%])|(?<sign>[-+*/^_!|(){}[\],=<>.'])|(?<letter>[a-zA-Z])|(?<bad>.)/gs,
};
/** Spellings of one sign. */
const SAME: Readonly<Record<string, string>> = {
  '\\times': '*',
  '\\cdot': '*',
  '\\ast': '*',
  '\\div': '/',
  '\\dfrac': '\\frac',
  '\\tfrac': '\\frac',
  '\\cfrac': '\\frac',
  '\\lbrace': '\\{',
  '\\rbrace': '\\}',
  '\\lvert': '|',
  '\\rvert': '|',
  '\\vert': '|',
  '\\|': '|',
  '\\%': '%',
};
const IGNORED = new Set(['\\left', '\\right', '\\displaystyle', '\\limits', '\\big', '\\Big']);
const FUNCTIONS = new Set([
  ...['sin', 'cos', 'tan', 'cot', 'sec', 'csc', 'arcsin', 'arccos', 'arctan'],
  ...['sinh', 'cosh', 'tanh', 'ln', 'exp'],
]);

function tokenize(text: string, dialect: Dialect): string[] | undefined {
  if (text.length > MAX_LENGTH) return undefined;
  const tokens: string[] = [];
  for (const match of text.matchAll(TOKENS[dialect])) {
    const { number, command, sign, letter, bad } = match.groups ?? {};
    if (bad !== undefined) return undefined;
    const token = number?.replaceAll(',', '') ?? command ?? sign ?? letter;
    if (token !== undefined && !IGNORED.has(token)) tokens.push(SAME[token] ?? token);
  }
  return tokens;
}

/** The tree of a whole expression; undefined where it is none, or too long or too deep. */
export function parseExpression(text: string, dialect: Dialect = 'latex'): Expression | undefined {
  const tokens = tokenize(text, dialect);
  if (tokens === undefined || tokens.length === 0) return undefined;
  try {
    const parser = new Parser(tokens, dialect === 'latex2sympy');
    const tree = parser.sum();
    return parser.isAtEnd() ? tree : undefined;
  } catch (error) {
    if (error instanceof NotAnExpression) return undefined;
    throw error;
  }
}

class NotAnExpression extends Error {}

class Parser {
  readonly #tokens: string[];
  #place = 0;
  #depth = 0;
  #nodes = 0;
  /** Inside |…| a bar ends, it does not open. */
  #bars = 0;

  /** The grammar of latex2sympy. */
  readonly #narrow: boolean;

  constructor(tokens: readonly string[], narrow: boolean) {
    this.#tokens = [...tokens];
    this.#narrow = narrow;
  }

  isAtEnd(): boolean {
    const rest = this.#peek();
    return rest === undefined || (this.#narrow && ')]}._'.includes(rest));
  }

  sum(): Expression {
    return this.#nested(() => {
      let left = this.#product();
      for (let sign = this.#peek(); sign === '+' || sign === '-'; sign = this.#peek()) {
        this.#place += 1;
        left = this.#binary(sign, left, this.#product());
      }
      return left;
    });
  }

  #product(): Expression {
    let left = this.#signed();
    for (;;) {
      const sign = this.#peek();
      if (sign === '*' || sign === '/') {
        this.#place += 1;
        left = this.#binary(sign, left, this.#signed());
      } else if (this.#startsFactor(sign)) {
        left = this.#juxtaposed(left);
      } else {
        return left;
      }
    }
  }

  /** A whole number before a fraction of numbers is a mixed number, else side by side is times. */
  #juxtaposed(left: Expression): Expression {
    const right = this.#power();
    const isMixed = !this.#narrow && isWhole(left) && isNumericFraction(right);
    return this.#binary(isMixed ? '+' : '*', left, right);
  }

  #signed(): Expression {
    const sign = this.#peek();
    if (sign !== '+' && sign !== '-') return this.#power();
    this.#place += 1;
    const operand = this.#nested(() => this.#signed());
    return sign === '+' ? operand : this.#binary('*', number(-1, true), operand);
  }

  #power(): Expression {
    let base = this.#postfix(this.#atom());
    while (this.#peek() === '^') {
      this.#place += 1;
      const exponent = this.#nested(() => this.#script());
      base = this.#postfix(this.#binary('^', base, exponent));
    }
    return base;
  }

  /** What stands above or below: one token, or a group. */
  #script(): Expression {
    const sign = this.#peek();
    if (!this.#narrow && (sign === '-' || sign === '+')) {
      this.#place += 1;
      const operand = this.#nested(() => this.#script());
      return sign === '+' ? operand : this.#binary('*', number(-1, true), operand);
    }
    const base = this.#atom();
    if (this.#narrow || this.#peek() !== '^') return base;
    this.#place += 1;
    return this.#binary(
      '^',
      base,
      this.#nested(() => this.#script()),
    );
  }

  #postfix(operand: Expression): Expression {
    let result = operand;
    for (let sign = this.#peek(); sign !== undefined && "!%'".includes(sign); sign = this.#peek()) {
      this.#place += 1;
      if (sign === "'") continue;
      const hundredth = sign === '%';
      result = hundredth
        ? this.#binary('/', result, number(100, true))
        : this.#call('factorial', [result]);
    }
    return result;
  }

  #atom(): Expression {
    const token = this.#next();
    if (/^[\d.]/.test(token)) return number(Number(token), /^\d+$/.test(token));
    if (token === '(' || token === '{' || token === '[') return this.#group(token);
    if (token === '|') return this.#absolute();
    if (token === '\\frac') return this.#binary('/', this.#argument(), this.#argument());
    if (token === '\\sqrt') return this.#root();
    if (token === '\\log') return this.#logarithm();
    if (token === '\\binom') return this.#call('binomial', [this.#argument(), this.#argument()]);
    const name = token.startsWith('\\') ? token.slice(1) : token;
    if (FUNCTIONS.has(name) && token.startsWith('\\')) return this.#function(name);
    if (!this.#narrow && /^\\(?:text|mathrm|mathbf|operatorname)$/.test(token))
      return this.#argument();
    if (/^\p{L}+$/u.test(name)) return { kind: 'name', name: this.#subscripted(name) };
    throw new NotAnExpression();
  }

  #subscripted(name: string): string {
    if (this.#peek() !== '_') return name;
    this.#place += 1;
    return `${name}_${JSON.stringify(this.#argument())}`;
  }

  #group(open: string): Expression {
    const close = open === '(' ? ')' : open === '{' ? '}' : ']';
    const bars = this.#bars;
    this.#bars = 0;
    const inner = this.sum();
    this.#bars = bars;
    this.#expect(close);
    return inner;
  }

  #absolute(): Expression {
    this.#bars += 1;
    const inner = this.sum();
    this.#bars -= 1;
    this.#expect('|');
    return this.#call('abs', [inner]);
  }

  /** `{…}`, or one token: `\frac12` is a half. A number of several digits gives its first. */
  #argument(): Expression {
    return this.#nested(() => {
      const token = this.#next();
      if (token === '{') return this.#group('{');
      if (this.#narrow) throw new NotAnExpression();
      const digits = /^(\d)(\d+)$/.exec(token);
      if (digits === null) {
        this.#place -= 1;
        return this.#atom();
      }
      this.#place -= 1;
      this.#tokens.splice(this.#place, 1, digits[1] ?? '', digits[2] ?? '');
      return this.#atom();
    });
  }

  #root(): Expression {
    let index: Expression = number(2, true);
    if (this.#peek() === '[') {
      this.#place += 1;
      index = this.#group('[');
    }
    return this.#call('root', [this.#argument(), index]);
  }

  #logarithm(): Expression {
    let base: Expression = number(10, true);
    if (this.#peek() === '_') {
      this.#place += 1;
      base = this.#narrow ? this.#atom() : this.#argument();
    }
    return this.#call('log', [this.#operand(), base]);
  }

  /** `\sin^2 x` is (sin x)². */
  #function(name: string): Expression {
    let power: Expression | undefined;
    if (this.#peek() === '^') {
      this.#place += 1;
      power = this.#script();
    }
    const call = this.#call(name, [this.#operand()]);
    return power === undefined ? call : this.#binary('^', call, power);
  }

  /** What a function without brackets takes: factors side by side, up to a sign. */
  #operand(): Expression {
    return this.#nested(() => {
      if (this.#peek() === '(' || this.#peek() === '{') return this.#power();
      let operand = this.#signed();
      while (this.#startsFactor(this.#peek()) && !this.#startsFunction()) {
        operand = this.#binary('*', operand, this.#power());
      }
      return operand;
    });
  }

  #startsFactor(token: string | undefined): boolean {
    if (token === undefined) return false;
    if (token === '|') return this.#bars === 0;
    return /^(?:\.?\d|[({[]|\p{L}|\\\p{L})/u.test(token);
  }

  #startsFunction(): boolean {
    const token = this.#peek() ?? '';
    return token === '\\log' || (token.startsWith('\\') && FUNCTIONS.has(token.slice(1)));
  }

  #peek(): string | undefined {
    return this.#tokens[this.#place];
  }

  #next(): string {
    const token = this.#tokens[this.#place];
    if (token === undefined) throw new NotAnExpression();
    this.#place += 1;
    return token;
  }

  #expect(token: string): void {
    if (this.#next() !== token) throw new NotAnExpression();
  }

  #nested<T>(parse: () => T): T {
    this.#depth += 1;
    if (this.#depth > MAX_DEPTH) throw new NotAnExpression();
    const result = parse();
    this.#depth -= 1;
    return result;
  }

  #count(): void {
    this.#nodes += 1;
    if (this.#nodes > MAX_NODES) throw new NotAnExpression();
  }

  #binary(op: BinaryOp, a: Expression, b: Expression): Expression {
    this.#count();
    return { kind: 'binary', op, a, b };
  }

  #call(name: string, args: readonly Expression[]): Expression {
    this.#count();
    return { kind: 'call', name, args };
  }
}

function number(value: number, exact: boolean): Expression {
  return { kind: 'number', value, exact };
}

function isWhole(expression: Expression): boolean {
  return expression.kind === 'number' && Number.isInteger(expression.value);
}

function isNumericFraction(expression: Expression): boolean {
  return (
    expression.kind === 'binary' &&
    expression.op === '/' &&
    isWhole(expression.a) &&
    isWhole(expression.b)
  );
}
