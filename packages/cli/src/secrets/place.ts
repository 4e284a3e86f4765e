import { EngineError, isSecretName } from "@helixstack/core/client";
import type { Cli } from "../cli.ts";
import { environmentPath } from "../client/api.ts";
import type { EnvironmentOptions } from "../options.ts";
import { projectName } from "../project/manifest-file.ts";

/** Options of commands about one place that has secrets. */
export interface PlaceOptions extends EnvironmentOptions {
  readonly project?: string;
  readonly plugin?: string;
}

/** Where secrets are: the path of the API, and how people read it. */
export interface SecretPlace {
  readonly path: string;
  readonly shown: string;
  /** The flags with which another command means the same place. */
  readonly flags: string;
}

export function placeOf(cli: Cli, options: PlaceOptions): SecretPlace {
  const { plugin, environment } = options;
  if (plugin !== undefined)
    return { path: `/v1/plugins/${encodeURIComponent(plugin)}/secrets`, shown: `plugin ${plugin}`, flags: ` --plugin ${plugin}` };
  const project = projectName({ ...options, cwd: cli.cwd });
  const flags = environment === "production" ? "" : ` --environment ${environment}`;
  return { path: environmentPath(project, environment, "secrets"), shown: `${project}/${environment}`, flags };
}

/** The name as it was typed. A value that was typed with it is not repeated in the refusal. */
export function checkName(typed: string): string {
  if (isSecretName(typed)) return typed;
  const equals = typed.indexOf("=");
  if (equals > 0 && isSecretName(typed.slice(0, equals))) {
    throw new EngineError(
      "USAGE",
      `The value of ${typed.slice(0, equals)} does not belong on the command line: others can read it there, and the shell keeps it.`,
      {
        hint: "Pipe the value in, or type it at the prompt. Change it if it is in use: it has been seen.",
      },
    );
  }
  throw new EngineError("USAGE", "This is no name of a secret.", {
    hint: "Letters, digits and _, not beginning with a digit, as in DATABASE_PASSWORD.",
  });
}
