import type { Readable } from "node:stream";
import { createInterface } from "node:readline";

/** A line that a plugin wrote to its standard output or error: for the engine's own log, no part of any answer. */
export interface HostOutput {
  readonly plugin: string;
  readonly pid: number;
  readonly stream: "stdout" | "stderr";
  readonly text: string;
}

const KEPT = 20;

/** Reads lines and keeps the last ones, which explain a crash. */
export function lastLines(stream: Readable, onLine: (text: string) => void): () => readonly string[] {
  const kept: string[] = [];
  createInterface({ input: stream, crlfDelay: Infinity }).on("line", (text) => {
    kept.push(text);
    if (kept.length > KEPT) kept.shift();
    onLine(text);
  });
  return () => [...kept];
}
