// The one error type a user meets: what was expected, where, what came, and what to do.

/** The closed list of failure classes. Each maps to one process exit code. */
export type ErrorCode =
  | 'usage'
  | 'recipe'
  | 'native'
  | 'libtorch'
  | 'data'
  | 'disk'
  | 'checkpoint'
  | 'memory'
  | 'numerics'
  | 'parallel'
  | 'interrupted';

const EXIT_CODES: Readonly<Record<ErrorCode, number>> = {
  usage: 2,
  recipe: 2,
  native: 3,
  libtorch: 3,
  data: 4,
  disk: 4,
  checkpoint: 4,
  memory: 5,
  numerics: 6,
  parallel: 7,
  interrupted: 130,
};

export interface ErrorDetails {
  /** What the user can do about it, as a command where there is one. */
  readonly hint?: string;
  readonly cause?: unknown;
}

/** A failure we understand. Shown without a stack unless `--debug` is given. */
export class OneVisionError extends Error {
  readonly code: ErrorCode;
  readonly hint: string | undefined;

  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.name = 'OneVisionError';
    this.code = code;
    this.hint = details.hint;
  }

  get exitCode(): number {
    return EXIT_CODES[this.code];
  }
}
