import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Writable } from "node:stream";
import { fileURLToPath } from "node:url";
import { Ajv2020 } from "ajv/dist/2020.js";
import type { InjectOptions } from "fastify";
import { type Api, type ApiDeps, type BuildOptions, buildApi, newTokenValue, tokenHash } from "../../src/api/index.ts";
import { openLocalSecretStore } from "../../src/adapters/secrets/index.ts";
import { createOpaPolicy } from "../../src/adapters/opa/index.ts";
import { createManifestReader } from "../../src/config/index.ts";
import { createLogger, createMetrics } from "../../src/telemetry/index.ts";
import { type Bench, newBench } from "../support/bench.ts";
import type { TestPostgres } from "../support/postgres.ts";

/** The API on a real ledger, real stores and the engine with the memory plugin. */
export interface TestServer {
  readonly api: Api;
  readonly bench: Bench;
  readonly deps: ApiDeps;
  readonly token: string;
  /** What the server has logged, one JSON document a line. */
  readonly logged: string[];
  readonly plane: { ups: number; downs: number };
  /** Sends a request with the token. Every answer is held against the description of its route. */
  call(method: Method, path: string, options?: CallOptions): Promise<Answer>;
  /** Stores files and asks for a deploy of them. */
  deploy(manifest: string, more?: Readonly<Record<string, unknown>>): Promise<Answer>;
  /** Listens on a free port of the loopback; resolves to the URL. */
  listen(): Promise<string>;
  close(): Promise<void>;
}

export type Method = "GET" | "POST" | "PUT" | "DELETE";

export interface CallOptions {
  readonly body?: unknown;
  readonly payload?: InjectOptions["payload"];
  readonly headers?: Readonly<Record<string, string>>;
  /** Null: none. */
  readonly token?: string | null;
}

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly text: string;
  // The tests say what they expect of it.
  readonly json: any;
}

export async function startServer(
  postgres: TestPostgres,
  options: BuildOptions & { readonly changes?: (deps: ApiDeps) => Partial<ApiDeps> } = {},
): Promise<TestServer> {
  const bench = await newBench(postgres);
  const logged: string[] = [];
  const plane = { ups: 0, downs: 0 };
  const secretsHome = await mkdtemp(join(tmpdir(), "helix-api-secrets-"));
  const secrets = await openLocalSecretStore({ root: join(secretsHome, "secrets"), keyFile: join(secretsHome, "secrets.key") });
  const policies = createOpaPolicy({
    shipped: fileURLToPath(new URL("../../../../guardrails/bundles", import.meta.url)),
    installed: join(secretsHome, "policies"),
    kept: join(secretsHome, "kept"),
    keys: join(secretsHome, "keys"),
  });
  const standard: ApiDeps = {
    ledger: bench.ledger,
    engine: bench.engine,
    readManifest: createManifestReader(bench.deps.plugins),
    sources: bench.deps.sources,
    logs: bench.deps.logs,
    policies,
    secrets,
    dispatcher: bench.deps.dispatcher,
    plugins: bench.deps.plugins,
    queue: { backend: "postgres", depth: async () => 3 },
    plane: {
      up: async () => void plane.ups++,
      down: async () => void plane.downs++,
      processes: async () => [{ role: "control", pid: process.pid }],
    },
    clock: bench.deps.clock,
    logger: createLogger({ level: "info", role: "test" }, sink(logged)),
    metrics: createMetrics(),
    settings: { allowedHosts: ["helix.example"], maxSourceBytes: 1024 * 1024 },
  };
  const deps = { ...standard, ...options.changes?.(standard) };
  const api = await buildApi(deps, options);
  api.addHook("onClose", () => policies.close());
  await api.ready();
  const token = newTokenValue();
  await bench.ledger.createToken(bench.scope, { name: "tester", hash: tokenHash(token) });
  return serverOn({ api, bench, deps, token, logged, plane });
}

function serverOn(parts: Pick<TestServer, "api" | "bench" | "deps" | "token" | "logged" | "plane">): TestServer {
  const { api, bench, token } = parts;
  const check = answerChecker(api);
  const server: TestServer = {
    ...parts,
    async call(method, path, { body, payload, headers = {}, token: given = token } = {}) {
      const authorization = given === null ? {} : { authorization: `Bearer ${given}` };
      const content = body === undefined ? (payload === undefined ? {} : { payload }) : { payload: body as object };
      const response = await api.inject({ method, url: path, headers: { host: "127.0.0.1", ...authorization, ...headers }, ...content });
      const isJson = /[/+]json(;|$)/.test(String(response.headers["content-type"]));
      const answer = { status: response.statusCode, headers: response.headers, text: response.body, json: isJson ? response.json() : null };
      if (isJson) check(method, path, answer);
      return answer;
    },
    async deploy(manifest, more = {}) {
      const { digest: snapshot } = await bench.snapshot({ "index.js": "console.log('hello')" });
      const body = { kind: "deploy", manifest: { text: manifest, file: "helix.yaml" }, snapshot, ...more };
      return server.call("POST", "/v1/deployments", { body });
    },
    async listen() {
      return api.listen({ host: "127.0.0.1", port: 0 });
    },
    async close() {
      await api.close();
      await bench.close();
    },
  };
  return server;
}

/** Throws where an answer is not what the API's own description promises for its route and status. */
function answerChecker(api: Api): (method: Method, path: string, answer: Answer) => void {
  const document = JSON.parse(JSON.stringify(api.swagger())) as {
    paths: Record<string, Record<string, { responses: Record<string, unknown> }>>;
  };
  const ajv = new Ajv2020({ strict: false, validateFormats: false });
  ajv.addSchema(document, "api");
  const patterns = Object.keys(document.paths).map(
    (pattern) => [pattern, new RegExp(`^${pattern.replace(/\{[^}]+\}/g, "[^/]+")}$`)] as const,
  );
  return (method, path, { status, json, headers }) => {
    const pattern = patterns.find(([, match]) => match.test(path.split("?")[0]!))?.[0];
    const responses = pattern && document.paths[pattern]![method.toLowerCase()]?.responses;
    const isProblem = String(headers["content-type"]).startsWith("application/problem+json");
    if (status >= 400 && !isProblem) throw new Error(`${method} ${path} answered ${status} without a problem document`);
    if (!responses || pattern === "/openapi.json") return;
    const key = responses[status] ? String(status) : `${String(status)[0]}XX`;
    const type = isProblem ? "application/problem+json" : "application/json";
    const pointer = ["paths", pattern, method.toLowerCase(), "responses", key, "content", type, "schema"];
    const ref = `api#/${pointer.map((part) => encodeURIComponent(part.replaceAll("~", "~0").replaceAll("/", "~1"))).join("/")}`;
    if (!ajv.validate({ $ref: ref }, json)) throw new Error(`${method} ${path} ${status}: ${ajv.errorsText()}\n${JSON.stringify(json)}`);
  };
}

function sink(lines: string[]): Writable {
  return new Writable({
    write(chunk: Buffer, _encoding, done) {
      lines.push(chunk.toString());
      done();
    },
  });
}

/** Reads a stream of events from a real socket. */
export async function readStream(
  url: string,
  {
    token,
    headers = {},
    until,
  }: {
    readonly token: string;
    readonly headers?: Readonly<Record<string, string>>;
    readonly until?: (events: readonly SeenEvent[]) => boolean;
  },
): Promise<readonly SeenEvent[]> {
  const abort = new AbortController();
  const response = await fetch(url, { headers: { authorization: `Bearer ${token}`, ...headers }, signal: abort.signal });
  if (!response.ok) throw new Error(`${response.status} ${await response.text()}`);
  const events: SeenEvent[] = [];
  let rest = "";
  for await (const chunk of response.body!.pipeThrough(new TextDecoderStream())) {
    const blocks = (rest + chunk).split("\n\n");
    rest = blocks.pop()!;
    events.push(...blocks.map(parseBlock).filter((event) => event !== null));
    if (until?.(events)) break;
  }
  abort.abort();
  return events;
}

export interface SeenEvent {
  readonly id: string;
  readonly event: string;
  readonly data: any;
}

function parseBlock(block: string): SeenEvent | null {
  const fields = Object.fromEntries(block.split("\n").map((line) => [line.slice(0, line.indexOf(":")), line.slice(line.indexOf(":") + 2)]));
  return fields["event"] ? { id: fields["id"] ?? "", event: fields["event"], data: JSON.parse(fields["data"]!) } : null;
}
