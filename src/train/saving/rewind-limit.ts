// How often a stage goes back to its last checkpoint before it gives up.

/** How often a stage may go back to the same checkpoint. */
const MOST_REWINDS = 3;

/** Going back to one checkpoint again and again leads nowhere. */
export class RewindLimit {
  #dir = '';
  #count = 0;

  allows(dir: string): boolean {
    this.#count = dir === this.#dir ? this.#count + 1 : 1;
    this.#dir = dir;
    return this.#count <= MOST_REWINDS;
  }
}
