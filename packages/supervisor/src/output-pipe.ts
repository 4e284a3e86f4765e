import { spawnSync } from "node:child_process";
import { chownSync, closeSync, constants, lstatSync, openSync, readSync, rmSync } from "node:fs";
import { Socket } from "node:net";
import type { RedactingStream } from "@helixstack/sdk/redact";
import { LineSplitter } from "./line-splitter.ts";

const UNFINISHED_LINE_WAIT_MS = 1000;

/**
 * One output stream of a unit: a FIFO that the process holds open for reading and writing, so that it never gets SIGPIPE and the kernel
 * keeps up to 64 KiB while no supervisor reads.
 */
export class OutputPipe {
  readonly #file: number;
  readonly #socket: Socket;
  readonly #splitter: LineSplitter;
  readonly #onLines: (lines: string[]) => void;
  #timer: NodeJS.Timeout | null = null;
  #isClosed = false;

  /** Starts reading. `path` must be a FIFO. What it brings passes `mask` before anything else sees it. */
  constructor(path: string, { mask, onLines }: { readonly mask: RedactingStream; readonly onLines: (lines: string[]) => void }) {
    this.#splitter = new LineSplitter(mask);
    this.#onLines = onLines;
    // Read and write: the reader sees no end of file between two lives of the process.
    this.#file = openSync(path, constants.O_RDWR | constants.O_NONBLOCK);
    this.#socket = new Socket({ fd: this.#file, readable: true, writable: false });
    this.#socket.on("data", (chunk: Buffer) => this.#take(chunk));
    this.#socket.on("error", () => this.close());
  }

  /** Reads what is still in the pipe, hands over the unfinished line, and stops. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#drain();
    if (this.#timer !== null) clearTimeout(this.#timer);
    const rest = this.#splitter.flush();
    if (rest.length > 0) this.#onLines(rest);
    this.#socket.destroy();
  }

  #take(chunk: Buffer): void {
    const lines = this.#splitter.push(chunk);
    if (lines.length > 0) this.#onLines(lines);
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = this.#splitter.isPending && !this.#isClosed ? setTimeout(() => this.#giveUnfinished(), UNFINISHED_LINE_WAIT_MS) : null;
  }

  #giveUnfinished(): void {
    this.#timer = null;
    const rest = this.#splitter.settle();
    if (rest.length > 0) this.#onLines(rest);
  }

  #drain(): void {
    const bytes = Buffer.allocUnsafe(64 * 1024);
    try {
      // Bounded: a descendant that goes on writing must not hold the supervisor here.
      for (let round = 0; round < 64; round++) {
        const length = readSync(this.#file, bytes);
        if (length === 0) return;
        const lines = this.#splitter.push(bytes.subarray(0, length));
        if (lines.length > 0) this.#onLines(lines);
      }
    } catch {
      // EAGAIN: the pipe is empty.
    }
  }
}

/** Makes the FIFOs that are missing. Throws when that cannot be done. */
export function makeFifos(paths: readonly string[], owner: { readonly uid?: number; readonly gid?: number }): void {
  const missing = paths.filter((path) => !isFifo(path));
  for (const path of missing) rmSync(path, { force: true });
  if (missing.length > 0) {
    const made = spawnSync("mkfifo", ["-m", "600", ...missing], { stdio: ["ignore", "ignore", "pipe"] });
    if (made.status !== 0) throw new Error(`mkfifo failed: ${made.error?.message ?? made.stderr.toString().trim()}`);
  }
  // Programs that open /dev/stdout by name need the right to do so.
  if (owner.uid !== undefined) for (const path of paths) chownSync(path, owner.uid, owner.gid ?? owner.uid);
}

/** Opens the end that a process gets as its output. */
export function openForProcess(path: string): number {
  return openSync(path, constants.O_RDWR);
}

/** Closes what {@link openForProcess} opened, once the process has it. */
export function closeAll(files: readonly number[]): void {
  for (const file of files) closeSync(file);
}

function isFifo(path: string): boolean {
  try {
    return lstatSync(path).isFIFO();
  } catch {
    return false;
  }
}
