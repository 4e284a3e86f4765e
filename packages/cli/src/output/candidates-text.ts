import type { Candidate } from "@helixstack/core/client";
import type { Colors } from "./colors.ts";
import { table } from "./table.ts";
import { ago } from "./time.ts";

/** Releases that a rollback can go to, newest first, with what would differ from now. */
export function candidatesText(candidates: readonly Candidate[], colors: Colors): string {
  if (candidates.length === 0) return "There is no earlier release.";
  const rows = candidates.map(({ release, number, createdAt, warm, changes, message }) => [
    release,
    `#${number}`,
    ago(createdAt, Date.now()),
    warm ? colors.green("warm") : "cold",
    differs(changes),
    message ?? "",
  ]);
  return table(["release", "no", "made", "start", "differs in", "message"], rows);
}

function differs(changes: Candidate["changes"]): string {
  const paths = changes.map(({ service, path }) => [service, path].filter(Boolean).join("."));
  return paths.length > 3 ? `${paths.slice(0, 3).join(", ")} and ${paths.length - 3} more` : paths.join(", ");
}
