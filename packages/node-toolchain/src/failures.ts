import { PluginError } from "@helixstack/sdk";

/** How a command of a package manager ended. */
export interface Ending {
  readonly exitCode: number;
  readonly tail: readonly string[];
  /** Whether it fetches packages. */
  readonly isInstall: boolean;
}

const UNREACHABLE = /\b(ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ERR_SOCKET_TIMEOUT|ENETUNREACH)\b/;

/** What to do about what a line says. The first that fits is told. */
const HINTS: readonly (readonly [pattern: RegExp, hint: string])[] = [
  [
    /are in sync|ERR_PNPM_OUTDATED_LOCKFILE|lockfile needs to be updated|YN0028/,
    "The lockfile does not fit package.json: install once on your machine and commit the lockfile.",
  ],
  [/\bE40[13]\b|ERR_PNPM_FETCH_40[13]/, "The registry asks for credentials: put a token into .npmrc by a secret that the build may read."],
  [/\bE404\b|ERR_PNPM_FETCH_404|couldn't find package/i, "A dependency is not in the registry: check its name and version."],
  [/heap out of memory/, "The build needs more memory than Node takes by itself: set NODE_OPTIONS=--max-old-space-size in the script."],
  [/: (?:\d+: )?[\w@./-]+: (?:command )?not found/, "A program of the script is not installed: add its package to devDependencies."],
];

/** The error of a command that failed: which command, why as far as its output says, and what to do. */
export function failureOf(command: string, { exitCode, tail, isInstall }: Ending): PluginError {
  const details = { command, exitCode };
  const unreachable = isInstall ? tail.find((line) => UNREACHABLE.test(line)) : undefined;
  if (unreachable !== undefined) {
    const message = `\`${command}\` could not reach the package registry: ${unreachable.trim()}`;
    return new PluginError("UNAVAILABLE", message, { hint: "Check the network, and `registry` in .npmrc.", logs: tail, details });
  }
  const hint =
    exitCode === 137 ? "It was killed, most likely for want of memory." : HINTS.find(([p]) => tail.some((line) => p.test(line)))?.[1];
  const message = `\`${command}\` failed with exit code ${exitCode}`;
  return new PluginError("BUILD_FAILED", message, { logs: tail, details, ...(hint !== undefined && { hint }) });
}
