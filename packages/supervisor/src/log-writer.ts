import { closeSync, ftruncateSync, openSync, renameSync, rmSync, writeSync } from "node:fs";
import { lastRecord, segments } from "./log-files.ts";

/** Size and number of the files of one log. */
export interface LogLimits {
  readonly maxBytes: number;
  readonly files: number;
}

export const DEFAULT_LOG_LIMITS: LogLimits = { maxBytes: 10 * 1024 * 1024, files: 3 };

/**
 * Writes one unit's lines to rotated files. Never throws for a full disk: it counts what it had to drop and says so in the log once
 * there is space again.
 */
export class LogWriter {
  readonly #path: string;
  readonly #limits: LogLimits;
  readonly #listeners = new Set<() => void>();
  #file: number | null = null;
  #size = 0;
  #cursor = 0;
  #lost = 0;
  #isClosed = false;

  constructor(path: string, limits: LogLimits = DEFAULT_LOG_LIMITS) {
    this.#path = path;
    this.#limits = limits;
    for (const file of segments(path)) this.#cursor = Math.max(this.#cursor, lastRecord(file).cursor);
  }

  /** Appends lines in order. They are in the kernel's hands when this returns. */
  append(stream: "o" | "e", lines: readonly string[]): void {
    if (lines.length === 0) return;
    const lost = this.#lost > 0 ? this.#record("e", `helix: ${this.#lost} lines were lost: the log could not be written`) : "";
    const text = lost + lines.map((line) => this.#record(stream, line)).join("");
    if (this.#write(Buffer.from(text))) this.#lost = 0;
    else this.#lost += lines.length;
    for (const listener of this.#listeners) listener();
  }

  /** Calls back after each append, until the returned function is called. */
  onAppend(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** Whether nothing will be appended any more. */
  get isClosed(): boolean {
    return this.#isClosed;
  }

  close(): void {
    this.#isClosed = true;
    if (this.#file !== null) closeSync(this.#file);
    this.#file = null;
    for (const listener of this.#listeners) listener();
  }

  #record(stream: "o" | "e", text: string): string {
    this.#cursor = Math.max(this.#cursor + 1, Date.now() * 1000);
    // Read off the cursor: lines of several instances then have one order, whichever of the two they are sorted by.
    const at = new Date(this.#cursor / 1000).toISOString();
    return `{"c":${this.#cursor},"t":"${at}","s":"${stream}","m":${JSON.stringify(text)}}\n`;
  }

  #write(bytes: Buffer): boolean {
    try {
      if (this.#file === null) this.#open();
      if (this.#size > 0 && this.#size + bytes.length > this.#limits.maxBytes) this.#rotate();
      for (let done = 0; done < bytes.length;) done += writeSync(this.#file!, bytes, done);
      this.#size += bytes.length;
      return true;
    } catch {
      this.#dropHalfWritten();
      return false;
    }
  }

  #open(): void {
    this.#file = openSync(this.#path, "a", 0o600);
    this.#size = lastRecord(this.#path).end;
    ftruncateSync(this.#file, this.#size);
  }

  #rotate(): void {
    closeSync(this.#file!);
    this.#file = null;
    const oldest = Math.max(0, this.#limits.files - 1);
    if (oldest === 0) rmSync(this.#path, { force: true });
    for (let number = oldest - 1; number >= 0; number--) {
      const from = number === 0 ? this.#path : `${this.#path}.${number}`;
      if (segments(this.#path).includes(from)) renameSync(from, `${this.#path}.${number + 1}`);
    }
    this.#open();
  }

  #dropHalfWritten(): void {
    try {
      if (this.#file !== null) ftruncateSync(this.#file, this.#size);
    } catch {
      // The next open cuts it off.
    }
  }
}
