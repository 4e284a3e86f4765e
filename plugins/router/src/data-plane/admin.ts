import { chmod, rm } from "node:fs/promises";
import { type IncomingMessage, type Server, type ServerResponse, createServer } from "node:http";
import { connect } from "node:net";
import { dirname } from "node:path";
import { type TableKey, makeFolder, tableProblem } from "@helixstack/route-tables";
import { ADMIN, type ApplyRequest, type DrainInput, type StatusAnswer } from "../protocol.ts";
import { AdminError } from "./admin-error.ts";
import type { Drains } from "./drain.ts";
import { log } from "./log.ts";
import type { Revisions } from "./revision.ts";
import type { Tables } from "./tables.ts";

const MAX_BODY = 64 * 1024 * 1024;

export interface AdminOptions {
  readonly tables: Tables;
  readonly drains: Drains;
  readonly revisions: Revisions;
  readonly status: () => StatusAnswer;
}

/** Makes sure that no other router serves this installation: two would fight over ports and files. */
export async function claimSocket(socket: string): Promise<void> {
  makeFolder(dirname(socket));
  if (await answers(socket)) throw new Error(`another router takes orders on ${socket}: stop it first`);
}

/** Takes orders on a unix socket. Whoever may enter its folder may give them: only the user of this installation. */
export async function openAdmin(socket: string, options: AdminOptions): Promise<Server> {
  await rm(socket, { force: true });
  const server = createServer((req, res) => void handle(req, res, options));
  server.requestTimeout = 0;
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(socket, resolve);
  });
  await chmod(socket, 0o600);
  return server;
}

async function handle(req: IncomingMessage, res: ServerResponse, options: AdminOptions): Promise<void> {
  try {
    const answer = await perform(req, { ...options, gone: goneSignal(res) });
    reply(res, 200, answer ?? {});
  } catch (error) {
    const known = asAdminError(error);
    if (known.code === "INTERNAL") log("error", "an order failed", { path: req.url, error: String(error) });
    reply(res, 422, { error: { code: known.code, message: known.message, hint: known.hint } });
  }
}

async function perform(
  req: IncomingMessage,
  { tables, drains, revisions, status, gone }: AdminOptions & { gone: AbortSignal },
): Promise<unknown> {
  const body = await readBody(req);
  switch (req.url) {
    case ADMIN.status:
      return status();
    case ADMIN.tables:
      return tables.views();
    case ADMIN.table:
      return { view: tables.view(body as TableKey) };
    case ADMIN.stats:
      return revisions.all().map((revision) => revision.stats());
    case ADMIN.apply: {
      const { owner, table } = body as ApplyRequest;
      const problem = tableProblem(table);
      if (problem !== null) throw new AdminError("INVALID_SPEC", problem);
      return tables.apply({ owner, table });
    }
    case ADMIN.destroy:
      return tables.destroy(body as TableKey);
    case ADMIN.drain:
      return drains.drain(body as DrainInput, gone);
    default:
      throw new AdminError("UNSUPPORTED", `the router has no order ${req.url}`);
  }
}

function asAdminError(error: unknown): AdminError {
  if (error instanceof AdminError) return error;
  const { code, message } = error as NodeJS.ErrnoException;
  if (code === "ENOSPC" || code === "EDQUOT") return new AdminError("DISK_FULL", `the route table cannot be written to disk: ${message}`);
  return new AdminError("INTERNAL", message);
}

async function readBody(req: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of req as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > MAX_BODY) throw new AdminError("LIMIT_EXCEEDED", `an order is larger than ${MAX_BODY} bytes`);
    chunks.push(chunk);
  }
  try {
    return JSON.parse(Buffer.concat(chunks).toString() || "{}");
  } catch {
    throw new AdminError("INVALID_SPEC", "an order is not JSON");
  }
}

function reply(res: ServerResponse, status: number, body: unknown): void {
  const bytes = Buffer.from(JSON.stringify(body));
  res.writeHead(status, { "content-type": "application/json", "content-length": bytes.length });
  res.end(bytes);
}

/** Fires when the one who gave the order hangs up. */
function goneSignal(res: ServerResponse): AbortSignal {
  const controller = new AbortController();
  res.once("close", () => controller.abort());
  return controller.signal;
}

async function answers(socket: string): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = connect(socket);
    probe.once("connect", () => {
      probe.destroy();
      resolve(true);
    });
    probe.once("error", () => resolve(false));
  });
}
