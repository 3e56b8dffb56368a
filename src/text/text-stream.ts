// The text of a reply while its tokens arrive: gives out what is certain, holds back half a character
// and what may become a stop text. Control tokens leave no text.

import type { Tokenizer } from './tokenizer.ts';

/** One reply's text. */
export class TextStream {
  readonly #tokenizer: Tokenizer;
  readonly #stops: readonly string[];
  #decoder = new TextDecoder();
  #held = '';
  #text = '';
  #isStopped = false;

  /** @param stops texts that end the reply and do not belong to it; '' is ignored. */
  constructor(tokenizer: Tokenizer, stops: readonly string[] = []) {
    this.#tokenizer = tokenizer;
    this.#stops = stops.filter((stop) => stop !== '');
  }

  /** All text given out. */
  get text(): string {
    return this.#text;
  }

  /** A stop text has appeared; nothing more is given out. */
  get isStopped(): boolean {
    return this.#isStopped;
  }

  /** Take the next token. @returns the text that became certain. */
  push(id: number): string {
    if (this.#tokenizer.isControl(id)) return '';
    const bytes = this.#tokenizer.bytes(id);
    if (bytes !== undefined) return this.#take(this.#decoder.decode(bytes, { stream: true }));
    return this.#take(this.#decoder.decode() + this.#tokenizer.decode([id]));
  }

  /** No token follows. @returns what was held back. */
  end(): string {
    const rest = this.#take(this.#decoder.decode());
    const last = this.#isStopped ? '' : this.#held;
    this.#held = '';
    this.#text += last;
    return rest + last;
  }

  #take(piece: string): string {
    if (this.#isStopped) return '';
    const waiting = this.#held + piece;
    const found = this.#stops.map((stop) => waiting.indexOf(stop)).filter((at) => at >= 0);
    this.#isStopped = found.length > 0;
    const end = this.#isStopped ? Math.min(...found) : waiting.length - this.#numDoubtful(waiting);
    this.#held = this.#isStopped ? '' : waiting.slice(end);
    this.#text += waiting.slice(0, end);
    return waiting.slice(0, end);
  }

  /** Length of the longest end of a text that a stop text begins with. */
  #numDoubtful(text: string): number {
    let longest = 0;
    for (const stop of this.#stops) {
      const most = Math.min(stop.length - 1, text.length);
      for (let length = most; length > longest; length--) {
        if (text.endsWith(stop.slice(0, length))) longest = length;
      }
    }
    return longest;
  }
}
