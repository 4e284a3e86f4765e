import { type DestinationStream, type Logger as PinoLogger, pino } from "pino";
import type { LogLevel } from "../config/settings.ts";

/** The server's own logger: one JSON document a line. */
export type ServerLogger = PinoLogger;

/** Where a value must never be printed, whoever logs it. */
const HIDDEN = [
  "authorization",
  "*.authorization",
  "req.headers.authorization",
  "headers.authorization",
  "token",
  "*.token",
  "password",
  "*.password",
  "databaseUrl",
  "redisUrl",
  "*.databaseUrl",
  "*.redisUrl",
];

/**
 * A logger that writes to stdout, or to `destination`. Times are ISO 8601; `role` names the process.
 *
 * @example createLogger({ level: "info", role: "control" }).info({ deployment: id }, "deployment recorded")
 */
export function createLogger(
  { level, role }: { readonly level: LogLevel; readonly role: string },
  destination?: DestinationStream,
): ServerLogger {
  const options = {
    level,
    base: { role, pid: process.pid },
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
    redact: { paths: HIDDEN, censor: "[secret]" },
  };
  return destination ? pino(options, destination) : pino(options);
}
