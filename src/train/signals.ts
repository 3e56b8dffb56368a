// SIGINT and SIGTERM as a wish to stop, not as an end.

export interface Signals {
  readonly caught: () => NodeJS.Signals | undefined;
  readonly release: () => void;
}

/** Notes SIGINT and SIGTERM instead of dying of them; a second one ends the process as usual. */
export function catchSignals(): Signals {
  let caught: NodeJS.Signals | undefined;
  const release = (): void => {
    process.removeListener('SIGINT', note);
    process.removeListener('SIGTERM', note);
  };
  const note = (signal: NodeJS.Signals): void => {
    caught = signal;
    release();
  };
  process.on('SIGINT', note);
  process.on('SIGTERM', note);
  return { caught: () => caught, release };
}
