// A reader of pickles that runs no code: a stack machine over the opcodes that torch.save uses.
// Calls of unknown classes become inert objects. Bounded by the length of its input.
import { OneVisionError } from '../../core/errors.ts';
import { Foreign, InertObject, PickleGlobal, type PickleValue } from './pickle-values.ts';

/** What the owner makes of the calls it knows. */
export interface PickleHooks {
  /** The object behind a persistent id: torch.save stores storages so. */
  persistent(id: PickleValue): PickleValue;
  /** The result of a known call; undefined leaves an inert object. */
  call(name: string, args: readonly PickleValue[]): PickleValue | undefined;
}

const MAX_BYTES = 512 * 1024 * 1024;

/** A mark on the stack: where a list, tuple or dict of variable length begins. */
const MARK = new Foreign('mark');

/** @throws OneVisionError 'checkpoint' for an opcode that we do not run, or a broken stack. */
export function readPickle(bytes: Uint8Array, hooks: PickleHooks, where: string): PickleValue {
  if (bytes.byteLength > MAX_BYTES) {
    throw refuse(where, `a pickle of at most ${MAX_BYTES} bytes`, `${bytes.byteLength}`);
  }
  return new Machine(bytes, hooks, where).run();
}

class Machine {
  readonly #bytes: Buffer;
  readonly #hooks: PickleHooks;
  readonly #where: string;
  readonly #stack: PickleValue[] = [];
  readonly #memo = new Map<number, PickleValue>();
  #at = 0;

  constructor(bytes: Uint8Array, hooks: PickleHooks, where: string) {
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#hooks = hooks;
    this.#where = where;
  }

  run(): PickleValue {
    for (;;) {
      const opcode = this.#take(1).readUInt8();
      if (opcode === 0x2e) return this.#pop();
      const step = STEPS.get(opcode);
      if (step === undefined) {
        const shown = `0x${opcode.toString(16)} at byte ${this.#at - 1}`;
        throw refuse(this.#where, 'opcodes that torch.save writes', shown);
      }
      step(this.#tools);
    }
  }

  readonly #tools: Tools = {
    take: (length) => this.#take(length),
    line: () => this.#line(),
    push: (value) => void this.#stack.push(value),
    pop: () => this.#pop(),
    popMark: () => this.#popMark(),
    put: (index) => void this.#memo.set(index, this.#top()),
    get: (index) => {
      const value = this.#memo.get(index);
      if (value === undefined) throw refuse(this.#where, `memo ${index}`, 'none');
      this.#stack.push(value);
    },
    memoSize: () => this.#memo.size,
    persistent: (id) => this.#hooks.persistent(id),
    call: (callable, args) => this.#call(callable, args),
    mismatch: (expected) => refuse(this.#where, expected, 'something else on the stack'),
  };

  #take(length: number): Buffer {
    if (length < 0 || this.#at + length > this.#bytes.byteLength) {
      throw refuse(this.#where, `${length} more bytes`, `an end at byte ${this.#bytes.byteLength}`);
    }
    this.#at += length;
    return this.#bytes.subarray(this.#at - length, this.#at);
  }

  #line(): string {
    const end = this.#bytes.indexOf(10, this.#at);
    if (end < 0) throw refuse(this.#where, 'a line', 'no end of it');
    return this.#take(end - this.#at + 1)
      .toString()
      .slice(0, -1);
  }

  #top(): PickleValue {
    const value = this.#stack.at(-1);
    if (value === undefined || value === MARK) throw refuse(this.#where, 'a value', 'none');
    return value;
  }

  #pop(): PickleValue {
    const value = this.#top();
    this.#stack.pop();
    return value;
  }

  #popMark(): PickleValue[] {
    const at = this.#stack.lastIndexOf(MARK);
    if (at < 0) throw refuse(this.#where, 'a mark on the stack', 'none');
    const items = this.#stack.splice(at);
    return items.slice(1);
  }

  #call(callable: PickleValue, args: PickleValue): PickleValue {
    if (!(callable instanceof PickleGlobal) || !Array.isArray(args)) {
      return new InertObject('something unnamed', []);
    }
    if (callable.name === 'collections.OrderedDict' && args.length === 0) return new Map();
    return this.#hooks.call(callable.name, args) ?? new InertObject(callable.name, args);
  }
}

interface Tools {
  take(length: number): Buffer;
  line(): string;
  push(value: PickleValue): void;
  pop(): PickleValue;
  popMark(): PickleValue[];
  put(index: number): void;
  get(index: number): void;
  memoSize(): number;
  persistent(id: PickleValue): PickleValue;
  call(callable: PickleValue, args: PickleValue): PickleValue;
  mismatch(expected: string): OneVisionError;
}

type Step = (tools: Tools) => void;
const nothing: Step = () => undefined;

const u32 = (t: Tools): number => t.take(4).readUInt32LE();
const u64 = (t: Tools): number => Number(t.take(8).readBigUInt64LE());
const u8 = (t: Tools): number => t.take(1).readUInt8();
const text = (t: Tools, length: number): string => t.take(length).toString('utf8');
const bytes = (t: Tools, length: number): Uint8Array => Uint8Array.from(t.take(length));
const reversed = (t: Tools, count: number): PickleValue[] => {
  const items: PickleValue[] = [];
  for (let i = 0; i < count; i++) items.unshift(t.pop());
  return items;
};

/** Two's complement, little end first; a number where it is one exactly. */
function long(t: Tools, length: number): number | bigint {
  if (length > 64) throw t.mismatch('an integer of at most 64 bytes');
  const raw = [...t.take(length)].reverse();
  const value = raw.reduce((sum, byte) => sum * 256n + BigInt(byte), 0n);
  const signed = (raw[0] ?? 0) > 127 ? value - (1n << BigInt(8 * length)) : value;
  return Number.isSafeInteger(Number(signed)) ? Number(signed) : signed;
}

function setItems(t: Tools, items: readonly PickleValue[]): void {
  const target = t.pop();
  t.push(target);
  if (target instanceof Map) {
    for (let i = 0; i + 1 < items.length; i += 2)
      target.set(items[i] ?? null, items[i + 1] ?? null);
  } else if (!(target instanceof InertObject)) throw t.mismatch('a dict to fill');
}

function append(t: Tools, items: readonly PickleValue[]): void {
  const target = t.pop();
  t.push(target);
  if (Array.isArray(target)) for (const item of items) target.push(item);
  else if (target instanceof Set) for (const item of items) target.add(item);
  else if (!(target instanceof InertObject)) throw t.mismatch('a list to fill');
}

function toMap(t: Tools, items: readonly PickleValue[]): void {
  t.push(new Map());
  setItems(t, items);
}

function build(t: Tools): void {
  const state = t.pop();
  const target = t.pop();
  if (target instanceof InertObject) target.state = state;
  t.push(target);
}

function reduce(t: Tools): void {
  const args = t.pop();
  t.push(t.call(t.pop(), args));
}

function int(t: Tools): void {
  const line = t.line();
  t.push(line === '00' ? false : line === '01' ? true : Number(line));
}

/** Opcode → what it does. Protocols 0 to 5, without what only running code would need. */
const STEPS: ReadonlyMap<number, Step> = new Map<number, Step>([
  [0x80, (t) => void t.take(1)], // PROTO
  [0x95, (t) => void t.take(8)], // FRAME
  [0x28, (t) => t.push(MARK)], // MARK
  [0x30, (t) => void t.pop()], // POP
  [0x31, (t) => void t.popMark()], // POP_MARK
  [0x4e, (t) => t.push(null)], // NONE
  [0x88, (t) => t.push(true)], // NEWTRUE
  [0x89, (t) => t.push(false)], // NEWFALSE
  [0x49, int], // INT
  [0x4a, (t) => t.push(t.take(4).readInt32LE())], // BININT
  [0x4b, (t) => t.push(u8(t))], // BININT1
  [0x4d, (t) => t.push(t.take(2).readUInt16LE())], // BININT2
  [0x8a, (t) => t.push(long(t, u8(t)))], // LONG1
  [0x8b, (t) => t.push(long(t, u32(t)))], // LONG4
  [0x47, (t) => t.push(t.take(8).readDoubleBE())], // BINFLOAT
  [0x55, (t) => t.push(text(t, u8(t)))], // SHORT_BINSTRING
  [0x54, (t) => t.push(text(t, u32(t)))], // BINSTRING
  [0x58, (t) => t.push(text(t, u32(t)))], // BINUNICODE
  [0x8c, (t) => t.push(text(t, u8(t)))], // SHORT_BINUNICODE
  [0x8d, (t) => t.push(text(t, u64(t)))], // BINUNICODE8
  [0x43, (t) => t.push(bytes(t, u8(t)))], // SHORT_BINBYTES
  [0x42, (t) => t.push(bytes(t, u32(t)))], // BINBYTES
  [0x8e, (t) => t.push(bytes(t, u64(t)))], // BINBYTES8
  [0x29, (t) => t.push([])], // EMPTY_TUPLE
  [0x74, (t) => t.push(t.popMark())], // TUPLE
  [0x85, (t) => t.push(reversed(t, 1))], // TUPLE1
  [0x86, (t) => t.push(reversed(t, 2))], // TUPLE2
  [0x87, (t) => t.push(reversed(t, 3))], // TUPLE3
  [0x5d, (t) => t.push([])], // EMPTY_LIST
  [0x6c, (t) => t.push(t.popMark())], // LIST
  [0x61, (t) => append(t, reversed(t, 1))], // APPEND
  [0x65, (t) => append(t, t.popMark())], // APPENDS
  [0x7d, (t) => t.push(new Map())], // EMPTY_DICT
  [0x64, (t) => toMap(t, t.popMark())], // DICT
  [0x73, (t) => setItems(t, reversed(t, 2))], // SETITEM
  [0x75, (t) => setItems(t, t.popMark())], // SETITEMS
  [0x8f, (t) => t.push(new Set())], // EMPTY_SET
  [0x90, (t) => append(t, t.popMark())], // ADDITEMS
  [0x91, (t) => t.push(new Set(t.popMark()))], // FROZENSET
  [0x63, (t) => t.push(new PickleGlobal(`${t.line()}.${t.line()}`))], // GLOBAL
  [0x93, (t) => t.push(new PickleGlobal(reversed(t, 2).map(String).join('.')))], // STACK_GLOBAL
  [0x52, reduce], // REDUCE
  [0x81, reduce], // NEWOBJ
  [0x62, build], // BUILD
  [0x51, (t) => t.push(t.persistent(t.pop()))], // BINPERSID
  [0x71, (t) => t.put(u8(t))], // BINPUT
  [0x72, (t) => t.put(u32(t))], // LONG_BINPUT
  [0x94, (t) => t.put(t.memoSize())], // MEMOIZE
  [0x68, (t) => t.get(u8(t))], // BINGET
  [0x6a, (t) => t.get(u32(t))], // LONG_BINGET
  [0x96, (t) => t.push(bytes(t, u64(t)))], // BYTEARRAY8
  [0x98, nothing], // READONLY_BUFFER
]);

function refuse(where: string, expected: string, came: string): OneVisionError {
  return new OneVisionError('checkpoint', `${where}: expected ${expected}; came ${came}.`, {
    hint: 'Save the tensors with torch.save({...}) of a state_dict, or as safetensors.',
  });
}
