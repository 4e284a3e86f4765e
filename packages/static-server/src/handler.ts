import type { IncomingMessage, RequestListener, ServerResponse } from "node:http";
import { SiteFiles } from "./files.ts";
import { hasExtension, isImmutable, isPublic } from "./rules.ts";
import { sendFile } from "./send.ts";

export interface SiteOptions {
  readonly root: string;
  /** The file that answers for a path without extension that is not there, relative to `root`; null for 404. */
  readonly fallback: string | null;
  /** Tells this build's entity tags from those of others. */
  readonly tag: string;
}

/** Answers requests with the files of a folder. Rejects when there is no such folder. */
export async function siteHandler(options: SiteOptions): Promise<RequestListener> {
  const files = await SiteFiles.open(options.root);
  return (request, response) => {
    answer({ files, options }, request, response).catch(() => response.destroy());
  };
}

interface Site {
  readonly files: SiteFiles;
  readonly options: SiteOptions;
}

async function answer({ files, options }: Site, request: IncomingMessage, response: ServerResponse): Promise<void> {
  response.setHeader("X-Content-Type-Options", "nosniff");
  if (request.method !== "GET" && request.method !== "HEAD") return refuse(response, 405, "Method Not Allowed");
  const path = decodedPath(request.url ?? "/");
  if (path === null) return refuse(response, 400, "Bad Request");
  if (!isPublic(path)) return refuse(response, 404, "Not Found");
  const found = await files.find(path);
  if (found === "folder") return redirectToFolder(request, response);
  if (found !== null) return sendFile(request, response, { file: found, tag: options.tag, isImmutable: isImmutable(path) });
  const fallback = options.fallback === null || hasExtension(path) ? null : await files.find(`/${options.fallback}`);
  if (fallback === null || fallback === "folder") return refuse(response, 404, "Not Found");
  sendFile(request, response, { file: fallback, tag: options.tag, isImmutable: false });
}

function decodedPath(url: string): string | null {
  try {
    const path = decodeURIComponent(url.split("?", 1)[0]!);
    return path.startsWith("/") && !path.includes("\0") ? path : null;
  } catch {
    return null;
  }
}

/** Relative links of a folder's page hold only with the slash. */
function redirectToFolder(request: IncomingMessage, response: ServerResponse): void {
  const [path = "", ...query] = request.url!.split("?");
  // Two slashes, or a backslash, at the start would name another host.
  const location = `${path.replace(/^[/\\]+/, "/")}/${query.length > 0 ? `?${query.join("?")}` : ""}`;
  response.writeHead(301, { Location: location, "Content-Length": 0, "Cache-Control": "no-cache" }).end();
}

function refuse(response: ServerResponse, status: 400 | 404 | 405, text: string): void {
  const headers = {
    "Content-Type": "text/plain;charset=utf-8",
    "Cache-Control": "no-cache",
    ...(status === 405 && { Allow: "GET, HEAD" }),
  };
  response.writeHead(status, headers).end(`${text}\n`);
}
