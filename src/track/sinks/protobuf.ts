// The little of protocol buffers that sinks write: fields of a message, wire format only.

/** Bytes of a message, field after field. */
export class Message {
  readonly #parts: Buffer[] = [];

  get bytes(): Buffer {
    return Buffer.concat(this.#parts);
  }

  /** A whole number of at least 0: int32, int64, uint64, bool. */
  whole(field: number, value: number): this {
    this.#parts.push(varint(field << 3), varint(value));
    return this;
  }

  double(field: number, value: number): this {
    const bytes = Buffer.alloc(8);
    bytes.writeDoubleLE(value);
    this.#parts.push(varint((field << 3) | 1), bytes);
    return this;
  }

  float(field: number, value: number): this {
    const bytes = Buffer.alloc(4);
    bytes.writeFloatLE(value);
    this.#parts.push(varint((field << 3) | 5), bytes);
    return this;
  }

  /** A string, bytes or another message. */
  put(field: number, value: string | Buffer | Message): this {
    const bytes = value instanceof Message ? value.bytes : Buffer.from(value);
    this.#parts.push(varint((field << 3) | 2), varint(bytes.length), bytes);
    return this;
  }
}

function varint(value: number): Buffer {
  const bytes: number[] = [];
  let left = value;
  while (left >= 0x80) {
    bytes.push((left % 0x80) | 0x80);
    left = Math.floor(left / 0x80);
  }
  bytes.push(left);
  return Buffer.from(bytes);
}
