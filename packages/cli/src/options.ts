import { EngineError } from "@helixstack/core/client";
import type { Command } from "commander";
import { parseSpan } from "./output/time.ts";

/** Options of commands that speak of one environment of a project. */
export interface EnvironmentOptions {
  readonly environment: string;
  readonly file?: string;
}

/** `-f` is the manifest, but for commands that follow. */
export function withEnvironment(command: Command, fileFlags: "-f, --file" | "--file" = "-f, --file"): Command {
  return command
    .option("-e, --environment <name>", "the environment", "production")
    .option(`${fileFlags} <path>`, "the manifest (default: helix.yaml)");
}

/** Milliseconds of an option such as `10m`. Throws `USAGE`. */
export function spanOption(name: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const ms = parseSpan(text);
  if (ms !== null && ms > 0) return ms;
  throw new EngineError("USAGE", `${name}: ${text} is no span of time.`, { hint: "Write it like 90s, 10m or 1h." });
}

/** A whole number from 1. Throws `USAGE`. */
export function countOption(name: string, text: string): number {
  const count = Number(text);
  if (/^\d+$/.test(text) && count > 0 && Number.isSafeInteger(count)) return count;
  throw new EngineError("USAGE", `${name}: ${text} is no whole number above 0.`);
}
