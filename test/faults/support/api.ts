import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { storeSource } from "../../support/source.ts";

/** The API as a patient client uses it: while the control plane is away it asks again, with the same key. */
export interface Api {
  request<T = any>(method: string, path: string, body?: unknown, headers?: Readonly<Record<string, string>>): Promise<T>;
  /** Stores files and answers with the snapshot's digest. */
  snapshot(files: Readonly<Record<string, string>>): Promise<string>;
  /** Asks for a deployment; repeated until it is recorded, once. Answers with its id. */
  create(body: object): Promise<string>;
}

const PATIENCE_MS = 60_000;

export function openApi(home: string): Api {
  const request: Api["request"] = async (method, path, body, headers = {}) => {
    const end = Date.now() + PATIENCE_MS;
    for (;;) {
      try {
        return await once(home, { method, path, body, headers });
      } catch (error) {
        if (error instanceof Refused || Date.now() > end) throw error;
        await sleep(25);
      }
    }
  };
  return {
    request,
    snapshot: (files) => storeSource(request, files),
    async create(body) {
      const key = randomUUID();
      const made = await request<{ id: string }>("POST", "/v1/deployments", body, { "idempotency-key": key });
      return made.id;
    },
  };
}

/** The plane understood and said no. */
class Refused extends Error {}

interface Request {
  readonly method: string;
  readonly path: string;
  readonly body: unknown;
  readonly headers: Readonly<Record<string, string>>;
}

async function once<T>(home: string, { method, path, body, headers }: Request): Promise<T> {
  const { url } = JSON.parse(readFileSync(join(home, "run/control.json"), "utf8")) as { url: string };
  const token = readFileSync(join(home, "keys/local-token"), "utf8").trim();
  const isRaw = body instanceof Buffer;
  const response = await fetch(`${url}${path}`, {
    method,
    headers: { authorization: `Bearer ${token}`, ...(body !== undefined && !isRaw && { "content-type": "application/json" }), ...headers },
    ...(body !== undefined && { body: isRaw ? new Uint8Array(body) : JSON.stringify(body) }),
    signal: AbortSignal.timeout(30_000),
  });
  const text = await response.text();
  if (response.ok) return (text === "" ? undefined : JSON.parse(text)) as T;
  const message = `${method} ${path} answered ${response.status}: ${text}`;
  // A control plane that was killed has left its address; whoever has that port now knows no token of ours.
  const isPassing = response.status >= 500 || response.status === 429 || response.status === 401;
  throw isPassing ? new Error(message) : new Refused(message);
}
