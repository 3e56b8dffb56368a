// Prints a failure as help: the message, its cause, what to do. Returns the exit code.
import { OneVisionError } from '../core/errors.ts';

/** Known errors print without a stack unless `debug`; unknown ones are bugs and always show it. */
export function reportError(error: unknown, options: { readonly debug: boolean }): number {
  if (!(error instanceof OneVisionError)) {
    console.error(error);
    return 1;
  }
  console.error(`error (${error.code}): ${error.message}`);
  if (error.cause instanceof Error) console.error(`  cause: ${error.cause.message}`);
  if (error.hint !== undefined) console.error(`  hint: ${error.hint}`);
  if (options.debug) console.error(error.stack);
  return error.exitCode;
}
