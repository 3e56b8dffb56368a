// Messages for people (or, with json, one JSON object a line for programs), on stderr.
// Not metrics: those belong to the run folder.

import { type Terminal, terminal } from './terminal.ts';

export type LogLevel = 'debug' | 'info' | 'warn' | 'error' | 'silent';

export interface Logger {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
}

/** Facts beside the message: shown as `name=value`, or as JSON fields. */
export type LogFields = Readonly<Record<string, string | number | boolean | null>>;

export interface LogSettings {
  readonly level: LogLevel;
  readonly json: boolean;
}

const RANK: Readonly<Record<LogLevel, number>> = {
  debug: 0,
  info: 1,
  warn: 2,
  error: 3,
  silent: 4,
};
const DEFAULTS: LogSettings = { level: 'info', json: false };

/** A logger on a terminal. */
export function createLogger(out: Terminal = terminal, settings: LogSettings = DEFAULTS): Logger {
  const at =
    (level: Exclude<LogLevel, 'silent'>) =>
    (message: string, fields: LogFields = {}): void => {
      if (RANK[level] < RANK[settings.level]) return;
      out.line(
        settings.json ? jsonLine(level, message, fields) : plainLine(level, message, fields),
      );
    };
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
}

function jsonLine(level: LogLevel, message: string, fields: LogFields): string {
  return JSON.stringify({ ...fields, time: new Date().toISOString(), level, message });
}

function plainLine(level: LogLevel, message: string, fields: LogFields): string {
  const mark = level === 'info' ? '' : `${level}: `;
  const tail = Object.entries(fields).map(([name, value]) => ` ${name}=${value}`);
  return mark + message + tail.join('');
}

/** The logger of this process. */
export const log: Logger = createLogger();

/** A logger that says nothing; for tests and for callers that want quiet. */
export const silentLog: Logger = createLogger(terminal, { level: 'silent', json: false });
