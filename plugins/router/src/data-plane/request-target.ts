import { hostName } from "@helixstack/route-tables";

/** Where a request line points: a path for the target, and the authority when the line itself names one. */
export interface RequestTarget {
  readonly path: string;
  /** Takes the place of the Host header (RFC 9112, 3.2.2). */
  readonly authority: string | null;
}

export type TargetFault = "bad" | "scheme";

const ABSOLUTE = /^([A-Za-z][A-Za-z0-9+.-]*):\/\/([^/?#]*)(.*)$/;

/** Reads a request line's target. `scheme`: the target is for another protocol than plain HTTP. */
export function readTarget(method: string, url: string): RequestTarget | TargetFault {
  if (url.includes("#")) return "bad";
  if (url === "*") return method === "OPTIONS" ? { path: "*", authority: null } : "bad";
  if (url.startsWith("/")) return { path: url, authority: null };
  const parts = ABSOLUTE.exec(url);
  if (parts === null) return "bad";
  const [, scheme = "", authority = "", rest = ""] = parts;
  if (scheme.toLowerCase() !== "http") return "scheme";
  if (hostName(authority) === null) return "bad";
  return { path: absolutePath(method, rest), authority };
}

function absolutePath(method: string, rest: string): string {
  if (rest === "") return method === "OPTIONS" ? "*" : "/";
  return rest.startsWith("/") ? rest : `/${rest}`;
}
