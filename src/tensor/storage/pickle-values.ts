// What a pickle can hold here: plain values, and objects of classes that are named and never made.

/** A class or function by its name. Nothing is imported, nothing is called. */
export class PickleGlobal {
  readonly name: string;

  constructor(name: string) {
    this.name = name;
  }
}

/** An object that we do not know: what would have been called, and with what. */
export class InertObject {
  readonly callable: string;
  readonly args: readonly PickleValue[];
  state: PickleValue = null;

  constructor(callable: string, args: readonly PickleValue[]) {
    this.callable = callable;
    this.args = args;
  }
}

/** Something that the reader's owner made, such as a tensor. */
export class Foreign<T = unknown> {
  readonly value: T;

  constructor(value: T) {
    this.value = value;
  }
}

export type PickleValue =
  | null
  | boolean
  | number
  | bigint
  | string
  | Uint8Array
  | PickleValue[]
  | Map<PickleValue, PickleValue>
  | Set<PickleValue>
  | PickleGlobal
  | InertObject
  | Foreign;
