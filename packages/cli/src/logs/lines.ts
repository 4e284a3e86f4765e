import { environmentPath } from "../client/api.ts";
import { follow } from "../client/follow.ts";
import type { Cli } from "../cli.ts";
import { LONG_PATIENCE_MS, type Session } from "../plane/session.ts";

/** A line of a service's log, or of a deployment's (then `step` may say which step wrote it). */
export interface LogLine {
  readonly service?: string;
  readonly at: string;
  readonly text: string;
  readonly stream?: "stdout" | "stderr";
  readonly step?: string | null;
  readonly [more: string]: unknown;
}

export interface LinesOptions {
  readonly follow: boolean;
  /** How many of the last lines to begin with. */
  readonly tail: number;
  readonly signal: AbortSignal;
}

export interface ServicePlace {
  readonly project: string;
  readonly environment: string;
  readonly service: string;
}

/** What a service says. With `follow` it ends when the signal fires, through restarts of the control plane. */
export async function* serviceLines({ http }: Session, place: ServicePlace, options: LinesOptions): AsyncGenerator<LogLine> {
  const path = environmentPath(place.project, place.environment, `services/${encodeURIComponent(place.service)}/logs`);
  for await (const line of linesOf(http, path, options)) yield { service: place.service, ...line };
}

/** What the steps of a deployment said. */
export async function* deploymentLines({ http }: Session, id: string, options: LinesOptions): AsyncGenerator<LogLine> {
  yield* linesOf(http, `/v1/deployments/${encodeURIComponent(id)}/logs`, { ...options, endsByItself: true });
}

async function* linesOf(
  http: Session["http"],
  path: string,
  { follow: isFollowing, tail, signal, endsByItself = !isFollowing }: LinesOptions & { readonly endsByItself?: boolean },
): AsyncGenerator<LogLine> {
  const query = { tail, follow: String(isFollowing) };
  const events = follow(http, path, { query, signal, patienceMs: LONG_PATIENCE_MS, isOver: () => Promise.resolve(endsByItself) });
  for await (const { event, data } of events) if (event === "line" || event === "message") yield JSON.parse(data) as LogLine;
}

/** How lines look to a person: the service's name in front where there are several. */
export function lineText(line: LogLine, { cli, width }: { readonly cli: Cli; readonly width: number }): string {
  const name = line.service ?? line.step ?? "";
  const text = line.stream === "stderr" ? cli.colors.yellow(line.text) : line.text;
  return width === 0 ? text : `${cli.colors.cyan(name.padEnd(width))} ${cli.colors.dim("|")} ${text}`;
}
