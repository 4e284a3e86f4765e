import { EXIT, EngineError, type ErrorDocument, errorRow } from "@helixstack/core/client";
import { errStream } from "./cli.ts";
import { isErrorCode } from "./error-table.ts";
import { errorText } from "./output/error-text.ts";
import { VERSION } from "./version.ts";

/** An error with what else stands in the JSON document: the deployment that failed, its services. */
export class Failure extends Error {
  override readonly name = "Failure";
  readonly error: EngineError;
  readonly document: Readonly<Record<string, unknown>>;

  constructor(error: EngineError, document: Readonly<Record<string, unknown>>) {
    super(error.message, { cause: error });
    this.error = error;
    this.document = document;
  }
}

/** Prints an error where it belongs, and resolves to the exit code. */
export function report(thrown: unknown, { json, argv }: { readonly json: boolean; readonly argv: readonly string[] }): number {
  const error = asEngineError(thrown);
  const document = isFailure(thrown) ? thrown.document : {};
  if (json) process.stdout.write(`${JSON.stringify({ ok: false, error: error.toDocument(), ...document })}\n`);
  else {
    const { colors, write } = errStream(argv.includes("--no-color"));
    write(errorText(error.toDocument(), colors));
  }
  if (error.code === "BUG") process.stderr.write(bugReport(error, argv));
  return exitCodeOf(error);
}

/** Any thrown value as an error of the table. */
export function asEngineError(thrown: unknown): EngineError {
  if (isFailure(thrown)) return asEngineError(thrown.error);
  if (thrown instanceof EngineError) return thrown;
  if (isForeignEngineError(thrown)) return new EngineError(thrown.code, thrown.message, { ...thrown.options, cause: thrown });
  if (isCommanderError(thrown)) return usageError(thrown.message);
  if (isNodeError(thrown) && thrown.code === "ENOSPC")
    return new EngineError("DISK_FULL", `No space left on the disk: ${thrown.message}`, { cause: thrown });
  return new EngineError("BUG", thrown instanceof Error ? thrown.message : String(thrown), { cause: thrown });
}

/** The exit code of an error; codes of a newer control plane count as failures of a step. */
function exitCodeOf(error: EngineError): number {
  return isErrorCode(error.code) ? errorRow(error.code).exit : EXIT.step;
}

function usageError(text: string): EngineError {
  if (text === "(outputHelp)")
    return new EngineError("USAGE", "The command needs one of its subcommands.", { hint: "Run it with --help to see them." });
  const [message, suggestion] = text.replace(/^error: /, "").split("\n");
  const meant = suggestion && /^\(Did you mean (.*)\?\)$/.exec(suggestion)?.[1];
  return new EngineError("USAGE", message!, meant ? { hint: `Did you mean ${meant}?` } : {});
}

function bugReport(error: EngineError, argv: readonly string[]): string {
  const stack = error.cause instanceof Error ? error.cause.stack : error.stack;
  const where = `helix ${VERSION}, node ${process.version}, ${process.platform} ${process.arch}`;
  return `${stack}\n\nThis is a fault of helix. Please report it with the lines above, the command (helix ${argv.join(" ")}) and: ${where}\n`;
}

// Each command is a script with copies of its own of these classes, and so is this module: an error is known by its name.

function isFailure(value: unknown): value is Failure {
  return value instanceof Error && value.name === "Failure" && "document" in value;
}

function isForeignEngineError(value: unknown): value is EngineError {
  return value instanceof Error && value.name === "EngineError" && "code" in value && "options" in value;
}

function isCommanderError(value: unknown): value is Error {
  return value instanceof Error && "code" in value && String(value.code).startsWith("commander.");
}

function isNodeError(value: unknown): value is NodeJS.ErrnoException {
  return value instanceof Error && "code" in value && typeof value.code === "string";
}

/** An error that arrived as a document, as the same error here. */
export function fromDocument(document: ErrorDocument): EngineError {
  const { code, message, ...options } = document;
  return new EngineError(code as EngineError["code"], message, { ...options, retryable: false });
}
