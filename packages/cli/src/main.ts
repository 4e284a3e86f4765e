import { Command, CommanderError } from "commander";
import { COMMANDS, GLOBAL_OPTIONS } from "./command-table.ts";
import { VERSION } from "./version.ts";

process.exitCode = 0;
quietOnClosedPipe();
void main(process.argv.slice(2)).then(leave);

/** Runs one command line. Resolves to the exit code, everything written. */
async function main(argv: readonly string[]): Promise<number> {
  const json = asksForJson(argv);
  const [first] = argv;
  if (argv.length <= 2 && (first === "--version" || first === "-V")) return answer(json, { version: VERSION }, VERSION);
  try {
    const help = await parse(rewriteHelp(argv));
    if (help === null) return Number(process.exitCode);
    return answer(json, { help }, help.trimEnd());
  } catch (error) {
    const { report } = await import("./failure.ts");
    return report(error, { json, argv });
  }
}

/** Parses and runs. Resolves to help text where that was asked for, else null. */
async function parse(argv: readonly string[]): Promise<string | null> {
  let help = "";
  const program = prepare(new Command("helix"), (text) => (help += text))
    .description("From source to URL on machines of your own.")
    .version(VERSION, "-V, --version", "print the version");
  const wanted = commandName(argv);
  for (const { name, summary, load } of COMMANDS) {
    const command = prepare(program.command(name).description(summary), (text) => (help += text));
    if (name === wanted) (await load()).define(command);
    for (const child of command.commands) prepare(child, (text) => (help += text));
  }
  try {
    if (argv.every((word) => word === "--json")) program.outputHelp();
    else await program.parseAsync(argv, { from: "user" });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode !== 0) throw error;
  }
  return help === "" ? null : help;
}

function prepare(command: Command, onHelp: (text: string) => void): Command {
  for (const [flags, description] of GLOBAL_OPTIONS) command.option(flags, description);
  return command
    .exitOverride()
    .helpCommand(false)
    .configureHelp({ subcommandTerm: (child) => child.name() })
    .helpOption("-h, --help", "show this help")
    .showSuggestionAfterError()
    .configureOutput({ writeOut: onHelp, writeErr: () => {} });
}

/** The first word that is no option: the only command whose module is needed. */
function commandName(argv: readonly string[]): string | undefined {
  for (let i = 0; i < argv.length; i++) {
    const word = argv[i]!;
    if (word === "-C" || word === "--cwd") i++;
    else if (!word.startsWith("-")) return word;
  }
  return undefined;
}

/** `helix help deploy` is `helix deploy --help`. */
function rewriteHelp(argv: readonly string[]): readonly string[] {
  return argv[0] === "help" ? [...argv.slice(1), "--help"] : argv;
}

function asksForJson(argv: readonly string[]): boolean {
  const end = argv.indexOf("--");
  return (end < 0 ? argv : argv.slice(0, end)).includes("--json");
}

function answer(json: boolean, document: object, text: string): number {
  process.stdout.write(`${json ? JSON.stringify({ ok: true, ...document }) : text}\n`);
  return 0;
}

/** A reader that went away (`helix ls | head -1`) is no error. */
function quietOnClosedPipe(): void {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on("error", (error: NodeJS.ErrnoException) => {
      if (error.code !== "EPIPE") throw error;
    });
  }
}

/** Ends the process after its output has left, whatever timers or sockets are still open. */
function leave(code: number): void {
  process.stdout.write("", () => process.stderr.write("", () => process.exit(code)));
}
