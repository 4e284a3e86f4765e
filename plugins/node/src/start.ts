import { type PackageJson, isDevServer } from "@helixstack/node-toolchain";
import { type Command, PluginError, isPluginError, parseCommand } from "@helixstack/sdk";
import { findEntryFile } from "./entry-file.ts";

/** `npm start`, `pnpm run serve`: a script by another name. Arguments after it would have to be passed on, so these are left alone. */
const RUNS_SCRIPT = /^(?:npm|pnpm|yarn)$/;
const MAX_DEPTH = 5;

/**
 * The start command as far as it is written down: the manifest's `start`, else the start script. Null when neither is there. A
 * command that runs a script becomes that script's command, so that signals reach the application itself and the bundle needs no npm.
 */
export function writtenStart(start: string | null, packageJson: PackageJson | null): Command | null {
  const scripts = packageJson?.scripts ?? {};
  if (start !== null) return unwrap(parseCommand(start), { scripts, depth: 0 });
  const script = scripts["start"];
  if (script === undefined || isDevServer(script)) return null;
  return unwrap(parseScript("start", script), { scripts, depth: 0 });
}

/** The start command by the files that are there. Rejects with `SOURCE_UNFIT` when nothing says how to start. */
export async function startOfFiles(source: string, packageJson: PackageJson | null): Promise<Command> {
  const file = await findEntryFile(source, packageJson);
  if (file !== null) return { argv: ["node", file], env: {} };
  const main = packageJson?.main;
  const missing = main ? `package.json names ${main} as \`main\`, which is not there after the build` : "there is no server.js or index.js";
  throw new PluginError("SOURCE_UNFIT", `nothing says how to start the application: no \`start\`, no start script, and ${missing}`, {
    hint: "Set `start: node <file>` for the service in helix.yaml, or `build: static` if it is a site without a server.",
  });
}

/** Whether the application is started by package.json's own start script. */
export function isStartScript(start: string | null): boolean {
  return start === null || scriptNameOf(parseCommand(start).argv) === "start";
}

interface Scripts {
  readonly scripts: Readonly<Record<string, string>>;
  readonly depth: number;
}

function unwrap(command: Command, { scripts, depth }: Scripts): Command {
  const name = scriptNameOf(command.argv);
  const script = name === null ? undefined : scripts[name];
  if (name === null || script === undefined || depth >= MAX_DEPTH) return command;
  const inner = unwrap(parseScript(name, script), { scripts, depth: depth + 1 });
  return { argv: inner.argv, env: { ...command.env, ...inner.env } };
}

function scriptNameOf([program, ...args]: readonly string[]): string | null {
  if (!RUNS_SCRIPT.test(program ?? "")) return null;
  const words = args.filter((arg) => !/^(?:run|run-script|-s|--silent)$/.test(arg));
  return words.length === 1 ? words[0]! : null;
}

function parseScript(name: string, script: string): Command {
  try {
    return parseCommand(script);
  } catch (error) {
    if (!isPluginError(error)) throw error;
    throw new PluginError("SOURCE_UNFIT", `the script ${name} of package.json cannot start the application: ${error.message}`, {
      hint: `Set \`start:\` for the service in helix.yaml to the command that serves (\`start: node server.js\`). ${error.hint}`,
      cause: error,
    });
  }
}
