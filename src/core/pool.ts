// Several asynchronous jobs at once, results in order. Not threads: the jobs must wait for
// something (disk, sharp) to gain from it.

/**
 * Apply `fn` to items with at most `limit` calls under way or finished but not yet taken; yields
 * the results in the order of the items. The first failure is thrown at its place; the
 * jobs under way are awaited before the iteration ends.
 */
export async function* mapConcurrent<T, R>(
  items: Iterable<T> | AsyncIterable<T>,
  limit: number,
  fn: (item: T, index: number) => Promise<R> | R,
): AsyncGenerator<R, void, undefined> {
  if (!(limit >= 1)) throw new RangeError(`expected a limit of 1 or more, came ${limit}`);
  const pending: Promise<R>[] = [];
  const start = async (item: T, index: number): Promise<R> => fn(item, index);
  let index = 0;
  try {
    for await (const item of items) {
      const job = start(item, index);
      job.catch(() => undefined); // reported when its turn comes
      pending.push(job);
      index += 1;
      if (pending.length >= limit) yield await (pending.shift() as Promise<R>);
    }
    while (pending.length > 0) yield await (pending.shift() as Promise<R>);
  } finally {
    await Promise.allSettled(pending);
  }
}
