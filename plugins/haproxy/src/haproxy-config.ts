import { createHash } from "node:crypto";
import { fileURLToPath } from "node:url";
import type { HaproxyConfig } from "./config.ts";

export interface Listening {
  readonly httpPort: number;
  /** The ports of services that could be opened. */
  readonly ports: readonly number[];
  /** What HAProxy says to itself, and nobody else can: 24 hex digits, since a unique id has 128 characters at most. */
  readonly secret: string;
}

const LUA = fileURLToPath(new URL("../lua/", import.meta.url));
const NOBODY = 65_534;

/**
 * HAProxy's configuration. It names no service: four maps say where a request goes, and they change while it runs.
 *
 * - `hosts`: host name -> `<table>/<service>`; `ports`: port -> the same.
 * - `tables`: table -> the generation that is served. Changing this one entry is the switch.
 * - `routes`: `<table>/<service>/<generation>` -> `<ip>|<port>|<release>`, or `-` (no target), `~<ms>` (hold), or `*<n>` (the target of
 *   turn i is under `<the key>/<i>`).
 */
export function haproxyConfig(config: HaproxyConfig, listening: Listening): string {
  return [globals(config), defaults(config, listening), frontends(config, listening), targets(config, listening), again(config, listening)]
    .join("\n\n")
    .concat("\n");
}

function globals({ socket, stateDir, limits }: HaproxyConfig): string {
  const isRoot = process.getuid?.() === 0;
  return section("global", [
    `stats socket ${quoted(socket)} mode 600 level admin`,
    "stats timeout 60s",
    `setenv HELIX_STATE ${quoted(stateDir)}`,
    `setenv HELIX_HELD ${limits.held}`,
    `lua-load ${quoted(`${LUA}start.lua`)}`,
    `lua-load ${quoted(`${LUA}hold.lua`)}`,
    "hard-stop-after 5s",
    `tune.bufsize ${limits.headerBytes + MAX_REWRITE}`,
    `tune.maxrewrite ${MAX_REWRITE}`,
    `tune.http.maxhdr ${limits.headerCount}`,
    ...(isRoot ? [`uid ${NOBODY}`, `gid ${NOBODY}`] : []),
  ]);
}

const MAX_REWRITE = 1024;

function defaults({ limits }: HaproxyConfig, { secret }: Listening): string {
  return section("defaults", [
    "mode http",
    `timeout client ${limits.bodyIdleTimeoutMs}ms`,
    `timeout http-request ${limits.headersTimeoutMs}ms`,
    `timeout http-keep-alive ${limits.idleTimeoutMs}ms`,
    `timeout connect ${limits.connectTimeoutMs}ms`,
    `timeout server ${limits.responseTimeoutMs}ms`,
    // A tunnel, or a stream of events, may be silent for as long as it likes.
    "timeout tunnel 24d",
    "http-reuse always",
    "option abortonclose",
    // A target that refuses the connection has not seen the request: `elsewhere` takes the next.
    "retries 1",
    "option redispatch 1",
    `unique-id-format ${secret}|%[var(txn.at)]|%[var(txn.slot)]|%[var(txn.left)]`,
  ]);
}

function frontends(config: HaproxyConfig, { httpPort, ports }: Listening): string {
  const own = config.host === "127.0.0.1" ? ["127.0.0.1", "::1"] : [config.host];
  const common = [`maxconn ${config.limits.maxConnections}`, "default_backend targets"];
  return [
    section("frontend hosts", [
      ...own.map((address) => `bind ${bracketed(address)}:${httpPort}`),
      `http-request set-var(txn.at) req.hdr(host),host_only,lower,${map(config, "hosts")}`,
      ...common,
    ]),
    section("frontend ports", [
      ...["127.0.0.1", ...config.addresses].flatMap((address) => ranges(ports).map((range) => `bind ${bracketed(address)}:${range}`)),
      `http-request set-var(txn.at) dst_port,${map(config, "ports")}`,
      ...common,
    ]),
  ].join("\n\n");
}

const TABLE = "http-request set-var(txn.table) var(txn.at),field(1,/)";
const ROUTE = "http-request set-var(txn.to) var(txn.at),concat(/,txn.table)";
const TURN = "http-request set-var(txn.to) var(txn.at),concat(/,txn.table),concat(/,txn.slot)";
const GO = ["http-request set-dst var(txn.to),field(1,|)", "http-request set-dst-port var(txn.to),field(2,|)"];

function targets(config: HaproxyConfig, { secret }: Listening): string {
  return section("backend targets", [
    // One reading of a failure: a kept connection that the target closed. What is not idempotent is never sent twice.
    "retry-on conn-failure empty-response",
    "http-request disable-l7-retry unless { method GET HEAD OPTIONS TRACE PUT DELETE }",
    "http-request disable-l7-retry if { req.body_size gt 0 }",
    ...identity(),
    'http-request return status 405 content-type text/plain string "405 Method Not Allowed" if { method CONNECT TRACE }',
    `http-request return status 413 content-type text/plain string "413 Payload Too Large\\n" if { req.body_size gt ${config.limits.bodyBytes} }`,
    ...answer(UNKNOWN_HOST),
    `${TABLE},${map(config, "tables")}`,
    `${ROUTE},${map(config, "routes")}`,
    "http-request lua.hold if { var(txn.to) -m beg ~ }",
    "acl many var(txn.to) -m beg *",
    "http-request set-var(txn.slots) var(txn.to),bytes(1) if many",
    "http-request track-sc0 var(txn.at) table turns if many",
    "http-request sc-inc-gpc0(0) if many",
    "http-request set-var(txn.slot) sc0_get_gpc0,mod(txn.slots) if many",
    `${TURN},${map(config, "routes")} if many`,
    ...answer(NO_TARGET),
    ...GO,
    ...forwarded(config),
    "http-request set-timeout server 24d if { req.hdr(accept) -m sub text/event-stream }",
    "http-after-response set-header X-Helix-Release %[var(txn.to),field(3,|)] if { var(txn.to),field(3,|) -m len gt 0 } !{ res.hdr(x-helix-release) -m found }",
    "use-server first unless FALSE",
    // Its address is where the request was sent by `set-dst`; kept connections are told apart by that.
    "server first 0.0.0.0:0",
    `server elsewhere ${againSocket(secret)} send-proxy-v2 proxy-v2-options unique-id`,
  ]);
}

/** Takes a request whose target could not be reached to the next one, at most so often; then it is 502. */
function again(config: HaproxyConfig, { secret }: Listening): string {
  const attempts = 4;
  return [
    section("frontend again", [`bind ${againSocket(secret)} accept-proxy`, "default_backend again"]),
    section("backend again", [
      "retry-on conn-failure",
      "http-reuse never",
      `http-request reject unless { fc_pp_unique_id,field(1,|) -m str ${secret} }`,
      "http-request set-var(txn.at) fc_pp_unique_id,field(2,|)",
      "http-request set-var(txn.id) req.hdr(x-request-id)",
      `${TABLE},${map(config, "tables")}`,
      `${ROUTE},${map(config, "routes")}`,
      `http-request set-var(txn.left) int(${attempts})`,
      "http-request set-var(txn.left) fc_pp_unique_id,field(4,|),sub(1) if { fc_pp_unique_id,field(4,|) -m len gt 0 }",
      "acl many var(txn.to) -m beg *",
      "http-request set-var(txn.slots) var(txn.to),bytes(1) if many",
      "http-request set-var(txn.slot) fc_pp_unique_id,field(3,|),add(1),mod(txn.slots) if many",
      `${TURN},${map(config, "routes")} if many`,
      ...answer(TARGET_FAILED),
      ...answer(NO_TARGET),
      ...GO,
      "http-after-response set-header X-Helix-Release %[var(txn.to),field(3,|)] if { var(txn.to),field(3,|) -m len gt 0 }",
      "use-server first unless FALSE",
      "server first 0.0.0.0:0",
      `server elsewhere ${againSocket(secret)} send-proxy-v2 proxy-v2-options unique-id`,
    ]),
    section("backend turns", ["stick-table type string len 96 size 100k expire 1h store gpc0"]),
  ].join("\n\n");
}

/** The client's id where it is well-formed. */
function identity(): readonly string[] {
  return [
    "http-request set-header X-Request-Id %[uuid] unless { req.hdr(x-request-id) -m reg ^[A-Za-z0-9._-]{1,128}$ }",
    "http-request set-var(txn.id) req.hdr(x-request-id)",
    "http-after-response set-header X-Request-Id %[var(txn.id)]",
  ];
}

function forwarded({ trustForwarded }: HaproxyConfig): readonly string[] {
  const hop = ["te", "trailer", "proxy", "proxy-connection", "keep-alive", "http2-settings"].map(
    (name) => `http-request del-header ${name}`,
  );
  const via = 'http-request add-header Via "1.1 helix"';
  if (trustForwarded) return [...hop, "http-request add-header X-Forwarded-For %[src]", via];
  return [
    ...hop,
    ...["forwarded", "x-forwarded-port", "x-real-ip"].map((name) => `http-request del-header ${name}`),
    "http-request set-header X-Forwarded-For %[src]",
    "http-request set-header X-Forwarded-Host %[req.hdr(host)]",
    "http-request set-header X-Forwarded-Proto http",
    via,
  ];
}

interface Answer {
  readonly status: number;
  readonly code: string;
  /** The sentence, with `{}` where the subject stands in quotes. */
  readonly message: string;
  /** A sample of HAProxy's. */
  readonly subject: string;
  readonly when: string;
}

/** An answer of HAProxy's own, as JSON where `Accept` asks for it. */
function answer({ status, code, message, subject, when }: Answer): readonly string[] {
  const id = "%[var(txn.id)]";
  const text = `${status}\n\n${message.replace("{}", `"%[${subject}]"`)}\nRequest id: ${id}\n`;
  const said = JSON.stringify(message.replace("{}", `"%[${subject},json]"`));
  const json = `{"error":{"status":${status},"code":"${code}","message":${said},"requestId":"${id}"}}\n`;
  const rule = `http-request return status ${status}`;
  const retry = status === 503 ? " hdr Retry-After 1" : "";
  return [
    `${rule} content-type application/json${retry} lf-string ${quoted(json)} if ${when} { req.hdr(accept) -m sub application/json }`,
    `${rule} content-type "text/plain; charset=utf-8"${retry} lf-string ${quoted(text)} if ${when}`,
  ];
}

const UNKNOWN_HOST: Answer = {
  status: 404,
  code: "UNKNOWN_HOST",
  message: "No service is deployed under the host name {}. `helix status` shows the addresses of a project.",
  subject: "req.hdr(host)",
  when: "!{ var(txn.at) -m found }",
};
const SERVICE = "var(txn.at),field(2,/)";
const NO_TARGET: Answer = {
  status: 503,
  code: "NO_TARGET",
  message: "Service {} has no running revision just now.",
  subject: SERVICE,
  when: "!{ var(txn.to),field(2,|) -m found }",
};
const TARGET_FAILED: Answer = {
  status: 502,
  code: "TARGET_FAILED",
  message: "The revision of service {} cannot be reached.",
  subject: SERVICE,
  when: "{ var(txn.left) -m int lt 1 }",
};

/**
 * A name in the kernel: HAProxy has given up its rights by the time it connects to itself, and may enter no folder of ours. Nobody can take it first, but
 * all can list such names: `again` takes only what brings the secret.
 */
function againSocket(secret: string): string {
  return `abns@helix-${createHash("sha256").update(secret).digest("hex").slice(0, 24)}`;
}

function map({ stateDir }: HaproxyConfig, name: string): string {
  return `map_str(${quoted(`${stateDir}/${name}.map`)})`;
}

function ranges(ports: readonly number[]): readonly string[] {
  const found: [number, number][] = [];
  for (const port of ports) {
    const last = found.at(-1);
    if (last !== undefined && last[1] === port - 1) last[1] = port;
    else found.push([port, port]);
  }
  return found.map(([first, last]) => (first === last ? String(first) : `${first}-${last}`));
}

function bracketed(address: string): string {
  return address.includes(":") ? `[${address}]` : address;
}

/** In double quotes HAProxy gives a meaning to these only. */
function quoted(text: string): string {
  return `"${text.replace(/[\\"$]/g, "\\$&").replaceAll("\n", "\\n")}"`;
}

function section(head: string, lines: readonly string[]): string {
  return [head, ...lines.map((line) => `  ${line}`)].join("\n");
}
