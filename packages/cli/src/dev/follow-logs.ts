import type { Cli } from "../cli.ts";
import { type LogLine, lineText, serviceLines } from "../logs/lines.ts";
import type { Session } from "../plane/session.ts";

/** Follows the logs of services, each once. */
export interface FollowedLogs {
  readonly follow: (place: { readonly project: string; readonly environment: string; readonly services: readonly string[] }) => void;
}

export function followLogs(cli: Cli, session: Session, signal: AbortSignal): FollowedLogs {
  const followed = new Set<string>();
  return {
    follow: ({ project, environment, services }) => {
      const width = services.length > 1 ? Math.max(...services.map((name) => name.length)) : 0;
      for (const service of services.filter((name) => !followed.has(name))) {
        followed.add(service);
        const lines = serviceLines(session, { project, environment, service }, { follow: true, tail: 10, signal });
        // A log that ends (the service was removed) is followed again once the service is deployed again.
        void print(cli, lines, width).finally(() => followed.delete(service));
      }
    },
  };
}

async function print(cli: Cli, lines: AsyncIterable<LogLine>, width: number): Promise<void> {
  try {
    for await (const line of lines) cli.follow({ type: "log", ...line }, () => lineText(line, { cli, width }));
  } catch (error) {
    cli.note(`  log: ${error instanceof Error ? error.message : String(error)}`);
  }
}
