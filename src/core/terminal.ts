// The one place that writes to the terminal: lines, and at most one live line below them.
// Goes to stderr, so that stdout is free for results (`--json`).

export interface Terminal {
  readonly isTty: boolean;
  readonly columns: number;
  /** Write a line above the live line. */
  line(text: string): void;
  /** Redraw the live line; an empty text removes it. Does nothing without a TTY. */
  live(text: string): void;
}

/** What a terminal needs of a stream; process.stderr fits. */
export interface TerminalStream {
  readonly isTTY?: boolean | undefined;
  readonly columns?: number | undefined;
  write(text: string): unknown;
}

const CLEAR_LINE = '\r\u001b[2K';

/** A terminal over a stream. */
export function createTerminal(stream: TerminalStream): Terminal {
  let shown = '';
  const isTty = stream.isTTY === true;
  const columns = (): number => stream.columns ?? 80;
  const draw = (text: string): void => {
    stream.write(CLEAR_LINE + text.slice(0, Math.max(1, columns() - 1)));
    shown = text;
  };
  return {
    isTty,
    get columns() {
      return columns();
    },
    line: (text) => {
      const live = shown;
      if (live !== '') stream.write(CLEAR_LINE);
      stream.write(`${text}\n`);
      if (live !== '') draw(live);
    },
    live: (text) => {
      if (isTty && (text !== '' || shown !== '')) draw(text);
    },
  };
}

/** The terminal of this process. */
export const terminal: Terminal = createTerminal(process.stderr);
