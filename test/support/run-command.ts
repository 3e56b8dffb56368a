// A command line in the test's own process: no second Node, no second libtorch. What it prints comes
// back as text; a test that needs standard input or signals starts a process instead.
import { run } from '../../src/cli/run.ts';

/** Runs `onevision <args>`; `output` is what it wrote to both streams. */
export async function runCommand(
  args: readonly string[],
): Promise<{ readonly status: number; readonly output: string }> {
  const streams = [process.stdout, process.stderr];
  const writes = streams.map((stream) => stream.write);
  let output = '';
  for (const [i, stream] of streams.entries()) {
    const write = writes[i] as typeof stream.write;
    // The test runner's own messages are bytes, those of a command are text.
    stream.write = ((chunk: string | Uint8Array, ...rest: []) => {
      if (typeof chunk !== 'string') return write.call(stream, chunk, ...rest);
      output += chunk;
      return true;
    }) as typeof stream.write;
  }
  try {
    return { status: await run(args), output };
  } finally {
    for (const [i, stream] of streams.entries()) stream.write = writes[i] as typeof stream.write;
  }
}
