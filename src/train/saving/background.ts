// One piece of work at a time beside training. A failure is not lost: it is thrown at the next look.

export class Background {
  #running: Promise<void> | undefined;
  #failure: { readonly error: unknown } | undefined;

  /** Begins work; the one before must have been waited for. */
  start(work: () => Promise<void>): void {
    if (this.#running !== undefined) throw new RangeError('expected settle() before start()');
    this.#running = work()
      .catch((error: unknown) => {
        this.#failure = { error };
      })
      .finally(() => {
        this.#running = undefined;
      });
  }

  /** Throws what the work failed with, once. */
  check(): void {
    const failure = this.#failure;
    this.#failure = undefined;
    if (failure !== undefined) throw failure.error;
  }

  /** Waits for the work to end. @throws what it failed with */
  async settle(): Promise<void> {
    await this.#running;
    this.check();
  }
}
