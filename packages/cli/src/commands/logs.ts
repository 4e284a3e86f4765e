import { EngineError, type EnvironmentStatus } from "@helixstack/core/client";
import type { Command } from "commander";
import { action } from "../action.ts";
import type { Cli } from "../cli.ts";
import { onInterrupt } from "../interrupt.ts";
import { eachLine } from "../logs/each-line.ts";
import { type LinesOptions, type LogLine, deploymentLines, lineText, serviceLines } from "../logs/lines.ts";
import { type EnvironmentOptions, countOption, withEnvironment } from "../options.ts";
import { LONG_PATIENCE_MS, type Session, openSession } from "../plane/session.ts";
import { projectName } from "../project/manifest-file.ts";

interface LogsOptions extends EnvironmentOptions {
  readonly project?: string;
  readonly follow?: boolean;
  readonly lines: string;
}

export function define(command: Command): void {
  withEnvironment(command, "--file")
    .argument("[service]", "one service, or a deployment's id for its own log (default: all services)")
    .option("-p, --project <name>", "the project (default: the manifest's)")
    .option("-f, --follow", "go on as lines arrive")
    .option("-n, --lines <count>", "how many of the last lines", "100")
    .action(action<LogsOptions>((cli, { args: [subject], options }) => logs(cli, { ...options, subject })));
}

type Asked = LogsOptions & { readonly subject: string | undefined };

async function logs(cli: Cli, asked: Asked): Promise<void> {
  const tail = countOption("--lines", asked.lines);
  const session = await openSession(cli, { start: "none", patienceMs: LONG_PATIENCE_MS });
  const signal = asked.follow ? onInterrupt() : new AbortController().signal;
  const { streams, width } = await openStreams(cli, { session, asked, lines: { follow: asked.follow === true, tail, signal } });
  if (!asked.follow) return printAll(cli, { streams, width, tail });
  try {
    await eachLine(streams, (line) => cli.follow(line, () => lineText(line, { cli, width })));
  } catch (error) {
    // Ctrl-C is how following ends.
    if (!signal.aborted) throw error;
  }
}

interface Streams {
  readonly streams: readonly AsyncIterable<LogLine>[];
  /** Columns for the service's name; 0 for none. */
  readonly width: number;
}

async function openStreams(cli: Cli, { session, asked, lines }: { session: Session; asked: Asked; lines: LinesOptions }): Promise<Streams> {
  const { subject, environment } = asked;
  if (subject?.startsWith("dep_")) return { streams: [deploymentLines(session, subject, lines)], width: 0 };
  const project = projectName({ ...asked, cwd: cli.cwd });
  const names = subject === undefined ? await serviceNames(session, { project, environment }) : [subject];
  const streams = names.map((service) => serviceLines(session, { project, environment, service }, lines));
  return { streams, width: names.length > 1 ? Math.max(...names.map((name) => name.length)) : 0 };
}

async function serviceNames(
  { api }: Session,
  { project, environment }: { project: string; environment: string },
): Promise<readonly string[]> {
  const { services } = await api.environment<EnvironmentStatus>(project, environment, "status");
  if (services.length > 0) return services.map(({ name }) => name);
  throw new EngineError("SERVICE_NOT_FOUND", `${project} ${environment} runs no service.`, { hint: "Run `helix deploy`." });
}

async function printAll(cli: Cli, { streams, width, tail }: Streams & { readonly tail: number }): Promise<void> {
  const found: LogLine[] = [];
  await eachLine(streams, (line) => void found.push(line));
  const lines = found.toSorted((a, b) => (a.at < b.at ? -1 : a.at > b.at ? 1 : 0)).slice(-tail);
  cli.result({ lines }, () => lines.map((line) => lineText(line, { cli, width })).join("\n"));
}
