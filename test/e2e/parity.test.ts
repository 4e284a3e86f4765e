import { createHash } from "node:crypto";
import { request, type IncomingMessage } from "node:http";
import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import Docker from "dockerode";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import WebSocket from "ws";
import { copyExample, eventually, makePlane, type Plane } from "./support/plane.ts";

// The same application on `process` and on `docker`: one list of observations, equal on both.

const hasDocker = await new Docker({ socketPath: "/var/run/docker.sock" }).ping().then(
  () => true,
  () => false,
);

interface Address {
  readonly host: string;
  readonly port: number;
}
interface Answer {
  readonly status: number;
  readonly headers: IncomingMessage["headers"];
  readonly rawHeaders: readonly string[];
  readonly trailers: Readonly<Record<string, string | undefined>>;
  readonly body: Buffer;
  readonly json: any;
  readonly text: string;
  /** Milliseconds from the first to the last piece of the body. */
  readonly spreadMs: number;
}

/** What an image or a container brings along, whatever the application. */
const IMAGE_OWN = new Set(["HOSTNAME", "HELIX_UNIT"]);

interface Where {
  readonly plane: Plane;
  readonly folder: string;
  readonly environment: string;
}

/** What is looked at. Each answers with what must be equal, and nothing that may differ (pids, times, addresses). */
const OBSERVATIONS: Readonly<Record<string, (address: Address, where: Where) => Promise<unknown>>> = {
  "query strings": async (at) => (await ask(at, { path: "/echo?a=1&a=2&b=%20x%2Fy&empty=&flag" })).json.query,
  "the request target as sent": async (at) => (await ask(at, { path: "/echo//double/%2e%2e/x?q=%zz" })).json.url,
  "repeated headers, in order": async (at) =>
    pairs((await ask(at, { path: "/echo", headers: { "x-many": ["one", "two", "three"] } })).json.rawHeaders, /^x-many$/i),
  "request header values with odd bytes": async (at) =>
    pairs((await ask(at, { path: "/echo", headers: { "x-odd": 'caf\u00e9; q="a, b"' } })).json.rawHeaders, /^x-odd$/i),
  "cookies in and out": async (at) => {
    const answer = await ask(at, { path: "/cookies", headers: { cookie: "a=1; b=2" } });
    return { sent: answer.json.cookie, set: answer.headers["set-cookie"] };
  },
  "a binary body": async (at) =>
    (await ask(at, { method: "POST", path: "/echo", body: Buffer.from(Array.from({ length: 256 }, (_, n) => n)) })).json.body,
  "a body of 32 MB": async (at) => {
    const body = Buffer.alloc(32 * 1024 * 1024, "helix");
    const { length, sha256 } = (await ask(at, { method: "PUT", path: "/echo", body })).json.body;
    return { length, same: sha256 === createHash("sha256").update(body).digest("hex") };
  },
  "a chunked body": async (at) => (await ask(at, { method: "POST", path: "/echo", chunks: ["one", "two", "three"] })).json.body,
  methods: async (at) =>
    Promise.all(
      ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"].map(async (method) => (await ask(at, { method, path: "/echo" })).json.method),
    ),
  "HEAD has no body": async (at) => {
    const { status, headers, body } = await ask(at, { method: "HEAD", path: "/echo" });
    return { status, type: headers["content-type"], bytes: body.length };
  },
  statuses: async (at) =>
    Promise.all(
      [200, 201, 204, 304, 400, 404, 418, 500, 503].map(async (code) => ((await ask(at, { path: `/status/${code}` })) as Answer).status),
    ),
  "redirects are left to the client": async (at) => {
    const { status, headers } = await ask(at, { path: "/redirect?to=https://elsewhere.example/x&status=307" });
    return { status, location: headers.location };
  },
  "a large answer": async (at) => {
    const { body } = await ask(at, { path: "/big?bytes=20000000" });
    return { bytes: body.length, sha256: createHash("sha256").update(body).digest("hex") };
  },
  "streaming is not held back": async (at) => {
    const { text, spreadMs } = await ask(at, { path: "/stream?chunks=4&ms=150" });
    return { text, inPieces: spreadMs > 200 };
  },
  "server-sent events": async (at) => {
    const { text, headers, spreadMs } = await ask(at, { path: "/sse?events=3&ms=150", headers: { "last-event-id": "4" } });
    return { text, type: headers["content-type"], inPieces: spreadMs > 100 };
  },
  WebSocket: async (at) =>
    new Promise((resolve, reject) => {
      const socket = new WebSocket(`ws://${at.host}:${at.port}/ws`);
      const got: string[] = [];
      socket.once("error", reject);
      socket.once("open", () => socket.send("hello"));
      socket.on("message", (data: Buffer) => {
        got.push(data.toString().replaceAll(/\d{4}-\d\d-\d\dT[^"]*/g, "time"));
        socket.close(1000, "enough");
      });
      socket.once("close", (code) => resolve({ got, code }));
    }),
  "environment names": async (at) =>
    Object.keys((await ask(at, { path: "/env" })).json)
      .filter((name) => !IMAGE_OWN.has(name))
      .sort(),
  "environment values": async (at) => {
    const { json } = await ask(at, { path: "/env" });
    return Object.fromEntries(
      ["GREETING", "TZ", "LANG", "HELIX_PROJECT", "HELIX_SERVICE", "NODE_ENV"].map((name) => [name, json[name] ?? null]),
    );
  },
  "time zone": async (at) => {
    const { zone, locale, offsetMinutes } = (await ask(at, { path: "/time-zone" })).json;
    return { zone, locale, offsetMinutes };
  },
  "the work folder can be written to": async (at) => {
    const { status, json } = await ask(at, { method: "POST", path: "/write/note.txt", body: Buffer.from("kept") });
    return { status, content: json.content };
  },
  "the work folder's content": async (at) => (await ask(at, { path: "/write" })).json.files.filter((name: string) => name !== "note.txt"),
  "the temporary folder can be written to": async (at) =>
    (await ask(at, { method: "POST", path: "/write/note.txt?in=tmp", body: Buffer.from("kept") })).json.content,
  "DATA_DIR is the volume": async (at) => {
    const written = await ask(at, { method: "POST", path: "/data/note.txt", body: Buffer.from("kept") });
    return { status: written.status, read: (await ask(at, { path: "/data/note.txt?volume=data" })).json.content };
  },
  "log lines, on their streams": async (at, where) => {
    await ask(at, { path: "/log?line=to%20stdout" });
    await ask(at, { path: "/log?line=to%20stderr%20%C3%A9&stream=stderr" });
    const lines = await eventually("the lines are in the log", () => logLines(where), {
      holds: (all) => all.some(({ text }) => text.startsWith("to stderr")),
    });
    return lines.filter(({ text }) => text.startsWith("to ")).map(({ stream, text }) => ({ stream, text }));
  },
  "the first log line": async (_at, where) => (await logLines(where))[0]?.text.replace(/\d+/, "N"),
  "two requests at once": async (at) => {
    const started = performance.now();
    await Promise.all([ask(at, { path: "/slow?ms=500" }), ask(at, { path: "/slow?ms=500" })]);
    return { sideBySide: performance.now() - started < 950 };
  },
  "no signal so far": async (at) => (await ask(at, { path: "/signals" })).json.seen,
  "a crash answers 502, and the application is started again": async (at) => {
    const crashed = await ask(at, { path: "/crash" });
    const again = await eventually("it answers again", async () => (await ask(at, { path: "/health" })).status, {
      holds: (status) => status === 200,
    });
    return { crashed: crashed.status, again };
  },
  "an end with exit code 0 is also followed by a start": async (at) => {
    const before = (await ask(at, { path: "/who" })).json.pid;
    const { status } = await ask(at, { path: "/exit?code=0" });
    await new Promise((resolve) => setTimeout(resolve, 300));
    const again = await eventually("it answers again", async () => (await ask(at, { path: "/health" })).status, {
      holds: (code) => code === 200,
    });
    return { status, again, had: typeof before };
  },
  "what was written to the volume outlives the crash": async (at) => (await ask(at, { path: "/data/note.txt" })).json.content,
  "a new release ends the old one gracefully": async (at, { plane, folder, environment }) => {
    await writeFile(join(folder, "src", "changed.js"), `// for ${environment}`);
    const slow = ask(at, { path: "/slow?ms=1500" });
    const { json } = await plane.helix(["deploy", "--environment", environment, "--runtime", environment.slice(3)], { cwd: folder });
    return { slow: (await slow).status, ok: json.ok, noChange: json.deployment.noChange };
  },
};

describe.skipIf(!hasDocker)("docker: the same application on process and docker", () => {
  let plane: Plane;
  let folder: string;
  const addresses: Record<string, Address> = {};

  beforeAll(async () => {
    plane = await makePlane();
    folder = await copyExample("observatory");
    for (const runtime of ["process", "docker"]) {
      const { json, stderr } = await plane.helix(["deploy", "--environment", `on-${runtime}`, "--runtime", runtime], { cwd: folder });
      expect(json.ok, stderr).toBe(true);
      addresses[runtime] = json.services[0].address;
    }
  });
  afterAll(async () => {
    await plane?.helix(["destroy", "--yes", "--with-data", "--environment", "on-docker"], { cwd: folder });
    await plane?.remove();
    await rm(folder, { recursive: true, force: true });
  });

  for (const [name, observe] of Object.entries(OBSERVATIONS)) {
    it(name, async () => {
      const onProcess = await observe(addresses["process"]!, { plane, folder, environment: "on-process" });
      const onDocker = await observe(addresses["docker"]!, { plane, folder, environment: "on-docker" });
      expect(onDocker).toEqual(onProcess);
      expect(JSON.stringify(onProcess)).not.toBe("{}");
    });
  }

  it("makes at least 25 observations", () => expect(Object.keys(OBSERVATIONS).length).toBeGreaterThanOrEqual(25));
});

async function logLines({ plane, folder, environment }: Where): Promise<readonly { stream: string; text: string }[]> {
  const { json } = await plane.helix(["logs", "web", "--environment", environment], { cwd: folder });
  return json.lines;
}

function pairs(raw: readonly string[], name: RegExp): string[] {
  return raw.filter((_, index) => index % 2 === 1 && name.test(raw[index - 1] ?? ""));
}

interface Ask {
  readonly method?: string;
  readonly path: string;
  readonly headers?: Readonly<Record<string, string | string[]>>;
  readonly body?: Buffer;
  readonly chunks?: readonly string[];
}

function ask({ host, port }: Address, { method = "GET", path, headers = {}, body, chunks }: Ask): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const sent = request(
      { host, port, method, path, headers: { ...headers, ...(body && { "content-length": body.length }) }, agent: false },
      (response) => {
        const pieces: Buffer[] = [];
        const times: number[] = [];
        response.on("data", (piece: Buffer) => {
          pieces.push(piece);
          times.push(performance.now());
        });
        response.once("error", reject);
        response.once("end", () => {
          const all = Buffer.concat(pieces);
          const text = all.length < 1_000_000 ? all.toString() : "";
          resolve({
            status: response.statusCode ?? 0,
            headers: response.headers,
            rawHeaders: response.rawHeaders,
            trailers: response.trailers,
            body: all,
            text,
            json: text.startsWith("{") ? JSON.parse(text) : null,
            spreadMs: (times.at(-1) ?? 0) - (times[0] ?? 0),
          });
        });
      },
    );
    sent.once("error", reject);
    for (const chunk of chunks ?? []) sent.write(chunk);
    sent.end(body);
  });
}
