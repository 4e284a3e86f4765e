import { EngineError } from "@helixstack/core/client";
import { randomBytes } from "node:crypto";
import { createInterface } from "node:readline/promises";
import { Writable } from "node:stream";
import { text } from "node:stream/consumers";
import type { Cli } from "../cli.ts";

/** A value from the pipe, or typed without being shown. Never from the command line: the process table would have it, and the shell's history. */
export async function readValue(cli: Cli, what: string): Promise<string> {
  const value = process.stdin.isTTY ? await typed(cli, what) : (await text(process.stdin)).replace(/\r?\n$/, "");
  if (value !== "") return value;
  throw new EngineError("USAGE", `${what}: no value came.`, {
    hint: "Pipe it in, as in `pass show db | helix secrets set NAME`, or type it at the prompt.",
  });
}

/** 256 bits of chance, as text that needs no quotes anywhere. */
export function generatedValue(): string {
  return randomBytes(32).toString("base64url");
}

async function typed(cli: Cli, what: string): Promise<string> {
  cli.err.write(`${what} (not shown): `);
  const silent = new Writable({ write: (_chunk, _encoding, done) => done() });
  const terminal = createInterface({ input: process.stdin, output: silent, terminal: true });
  const closed = new Promise<string>((resolve) => terminal.once("close", () => resolve("")));
  try {
    return await Promise.race([terminal.question(""), closed]);
  } finally {
    terminal.close();
    cli.err.write("\n");
  }
}
