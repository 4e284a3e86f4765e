import { posix } from "node:path";

/**
 * What is wrong with a symlink of a source; null when it stays inside. Judged by its text alone, as if every name on the way were a plain
 * folder; that is only safe where no `..` follows a name, since the name may be a link itself.
 */
export function linkProblem(path: string, { target, source }: { readonly target: string; readonly source: string }): string | null {
  if (target === "") return "points nowhere";
  if (posix.isAbsolute(target)) return "is an absolute path: it points outside the source";
  const steps = target.split("/").filter((step) => step !== "" && step !== ".");
  if (steps.some((step, i) => step === ".." && steps.slice(0, i).some((before) => before !== "..")))
    return "climbs back through another name";
  const end = posix.join(posix.dirname(path), target).replace(/\/+$/, "");
  const isInside = source === "" ? end !== ".." && !end.startsWith("../") : end === source || end.startsWith(`${source}/`);
  return isInside ? null : `points outside the source${source === "" ? "" : ` folder ${source}`}`;
}
