import { parse } from "shell-quote";
import { EngineError } from "./errors.ts";

/** A command as an argument list, and the variables that stand before it. */
export interface Command {
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

/**
 * Splits a command as a shell would split it into words, and refuses what only a shell could do: no string ever reaches one.
 * `place` names where it stands, for the message. Rejects with `MANIFEST_INVALID`.
 *
 * @example splitCommand("NODE_ENV=test node 'my file.js'", "services.web.start") // { argv: ["node", "my file.js"], env: { NODE_ENV: "test" } }
 */
export function splitCommand(text: string, place: string): Command {
  const words = parse(text, (name) => ({ op: `$${name}` }));
  const special = words.find((word) => typeof word !== "string");
  if (special !== undefined) {
    const what = "comment" in special ? "#" : special.op === "glob" ? special.pattern : special.op;
    throw new EngineError("MANIFEST_INVALID", `${place} is no plain command: "${what}" needs a shell, and commands run without one`, {
      hint: "Put it in a script of package.json or a file, and name that.",
    });
  }
  const plain = words as string[];
  const first = plain.findIndex((word) => !/^[A-Za-z_][A-Za-z0-9_]*=/.test(word));
  if (first === -1) throw new EngineError("MANIFEST_INVALID", `${place} is empty: it names no program`);
  const env = plain.slice(0, first).map((word) => [word.slice(0, word.indexOf("=")), word.slice(word.indexOf("=") + 1)] as const);
  return { argv: plain.slice(first), env: Object.fromEntries(env) };
}
