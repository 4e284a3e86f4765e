import type { StoredLine } from "../ports/index.ts";
import type { EngineDeps } from "./deps.ts";

/** Takes the lines of one deployment and writes them together, so that a chatty build does not wait for the disk at each line. */
export interface LogSink {
  write(line: StoredLine): void;
  /** Resolves when everything so far is written, or could not be. */
  flush(): Promise<void>;
}

const TOGETHER_MS = 25;

/** The stream of a deployment's log. */
export function logStream(deployment: string): string {
  return `deployment:${deployment}`;
}

/** A log that cannot be written is a warning: it is no reason to fail a deployment. */
export function createLogSink({ logs, logger }: Pick<EngineDeps, "logs" | "logger">, deployment: string): LogSink {
  let waiting: StoredLine[] = [];
  let timer: NodeJS.Timeout | undefined;
  let written = Promise.resolve();
  const append = async (lines: readonly StoredLine[]) => {
    try {
      await logs.append(logStream(deployment), lines);
    } catch (error) {
      logger.warn("the deployment's log cannot be written", { deployment, lines: lines.length, error: String(error) });
    }
  };
  const flush = () => {
    clearTimeout(timer);
    timer = undefined;
    const lines = waiting;
    waiting = [];
    if (lines.length > 0) written = written.then(() => append(lines));
    return written;
  };
  return {
    write(line) {
      waiting.push(line);
      timer ??= setTimeout(() => void flush(), TOGETHER_MS);
    },
    flush,
  };
}
