import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { type IncomingHttpHeaders, request } from "node:http";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { staticServerEntry } from "../src/index.ts";
import { isImmutable } from "../src/rules.ts";

const root = mkdtempSync(join(tmpdir(), "helix-static-"));
const outside = mkdtempSync(join(tmpdir(), "helix-outside-"));
const copy = join(outside, "copied.mjs");
let server: ChildProcess;
let port: number;

const FILES: Record<string, string> = {
  "index.html": "<h1>home</h1>",
  "about.html": "<h1>about</h1>",
  "docs/index.html": "<h1>docs</h1>",
  "assets/index-DiwrgTda.js": "export {}",
  "plain.txt": "0123456789",
  "my file é.txt": "blanks",
  ".env": "SECRET=1",
  ".well-known/x.txt": "hidden",
  "docs/.git/config": "hidden",
  "helix.yaml": "project: x",
  "docs/helix.yaml": "project: x",
  "big.bin": "b".repeat(5_000_000),
};

beforeAll(async () => {
  execFileSync("npm", ["run", "bundle", "--silent"], {
    cwd: fileURLToPath(new URL("..", import.meta.url)),
    stdio: ["ignore", "ignore", "inherit"],
  });
  for (const [path, text] of Object.entries(FILES)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
  writeFileSync(join(outside, "passwd.txt"), "outside");
  symlinkSync(join(outside, "passwd.txt"), join(root, "link.txt"));
  symlinkSync(outside, join(root, "linked"));
  // Away from every node_modules, as in a container.
  execFileSync("cp", [staticServerEntry, copy]);
  [server, port] = await start(["--root", root, "--fallback", "index.html"]);
});
afterAll(() => {
  server.kill("SIGKILL");
  rmSync(root, { recursive: true, force: true });
  rmSync(outside, { recursive: true, force: true });
});

async function start(args: readonly string[]): Promise<[ChildProcess, number]> {
  const child = spawn(process.execPath, [copy, ...args], {
    env: { PORT: "0", HOST: "127.0.0.1", HELIX_REVISION: "rev_1" },
    stdio: ["ignore", "pipe", "inherit"],
  });
  const [chunk] = (await once(child.stdout!, "data")) as [Buffer];
  return [child, Number(/port (\d+)/.exec(chunk.toString())![1])];
}

interface Reply {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

function ask(path: string, options: { method?: string; headers?: Record<string, string> } = {}): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const outgoing = request({ port, host: "127.0.0.1", path, agent: false, ...options }, (incoming) => {
      let body = "";
      incoming.setEncoding("utf8");
      incoming.on("data", (chunk: string) => (body += chunk));
      incoming.on("end", () => resolve({ status: incoming.statusCode!, headers: incoming.headers, body }));
    });
    outgoing.on("error", reject);
    outgoing.end();
  });
}

describe("static-server", () => {
  it("serves files, pages without extension, folders, and names that need encoding", async () => {
    expect(await ask("/")).toMatchObject({ status: 200, body: "<h1>home</h1>" });
    expect((await ask("/")).headers["content-type"]).toBe("text/html;charset=utf-8");
    expect((await ask("/about?x=1")).body).toBe("<h1>about</h1>");
    expect((await ask("/docs/")).body).toBe("<h1>docs</h1>");
    expect((await ask(`/${encodeURIComponent("my file é.txt")}`)).body).toBe("blanks");
  });

  it("sends a folder without its slash to the one with it, never to another host", async () => {
    expect(await ask("/docs?x=1")).toMatchObject({ status: 301, headers: { location: "/docs/?x=1" } });
    expect((await ask("//docs")).headers.location ?? "").not.toMatch(/^\/\//);
  });

  it("falls back for pages and says 404 for files", async () => {
    expect(await ask("/deep/page")).toMatchObject({ status: 200, body: "<h1>home</h1>" });
    expect((await ask("/deep/page")).headers["cache-control"]).toBe("no-cache");
    for (const path of ["/missing.js", "/deep/missing.css", "/missing.%C3%A9", "/assets/index-00000000.js"])
      expect((await ask(path)).status).toBe(404);
  });

  it("never shows hidden files, manifests, or what a link outside points to", async () => {
    const paths = [
      "/.env",
      "/%2eenv",
      "/.well-known/x.txt",
      "/docs/.git/config",
      "/helix.yaml",
      "/HELIX.yaml",
      "/helix%2Eyaml",
      "/docs/helix.yaml",
    ];
    for (const path of [...paths, "/link.txt", "/linked/passwd.txt", "/../passwd", "/..%2fpasswd", "/docs/..%2f.env"]) {
      const { status, body } = await ask(path);
      expect([path, status]).toEqual([path, 404]);
      expect(body).toBe("Not Found\n");
    }
    expect((await ask("/%00")).status).toBe(400);
    expect((await ask("/%zz")).status).toBe(400);
  });

  it("answers HEAD without a body and refuses other methods", async () => {
    expect(await ask("/plain.txt", { method: "HEAD" })).toMatchObject({ status: 200, body: "", headers: { "content-length": "10" } });
    expect(await ask("/plain.txt", { method: "POST" })).toMatchObject({ status: 405, headers: { allow: "GET, HEAD" } });
  });

  it("answers ranges", async () => {
    const range = async (value: string): Promise<[number, string]> => {
      const { status, body } = await ask("/plain.txt", { headers: { Range: value } });
      return [status, body];
    };
    expect(await range("bytes=2-4")).toEqual([206, "234"]);
    expect(await range("bytes=7-")).toEqual([206, "789"]);
    expect(await range("bytes=-3")).toEqual([206, "789"]);
    expect(await range("bytes=0-0")).toEqual([206, "0"]);
    expect(await range("bytes=5-99")).toEqual([206, "56789"]);
    expect((await range("bytes=10-"))[0]).toBe(416);
    expect((await range("bytes=-0"))[0]).toBe(416);
    expect(await range("bytes=4-2")).toEqual([200, "0123456789"]);
    expect(await range("bytes=0-1,3-4")).toEqual([200, "0123456789"]);
    expect((await ask("/plain.txt", { headers: { Range: "bytes=0-1", "If-Range": '"other"' } })).status).toBe(200);
    const { etag } = (await ask("/plain.txt")).headers;
    expect((await ask("/plain.txt", { headers: { Range: "bytes=0-1", "If-Range": etag! } })).status).toBe(206);
  });

  it("lets browsers revalidate pages and keep hashed assets", async () => {
    const { headers } = await ask("/");
    expect(headers["cache-control"]).toBe("no-cache");
    expect(headers.etag).toMatch(/^".*-rev_1"$/);
    expect(await ask("/", { headers: { "If-None-Match": headers.etag! } })).toMatchObject({ status: 304, body: "" });
    expect((await ask("/", { headers: { "If-None-Match": `"a", W/${headers.etag!}` } })).status).toBe(304);
    expect((await ask("/", { headers: { "If-Modified-Since": headers["last-modified"]! } })).status).toBe(304);
    expect((await ask("/", { headers: { "If-None-Match": headers.etag!.replace("rev_1", "rev_2") } })).status).toBe(200);
    expect((await ask("/assets/index-DiwrgTda.js")).headers["cache-control"]).toBe("public, max-age=31536000, immutable");
  });

  it("knows a hash from a word", () => {
    for (const path of ["/assets/index-DiwrgTda.js", "/static/js/main.3f2a1b9c.chunk.js", "/_astro/page.BQ3h_a9x.css"])
      expect([path, isImmutable(path)]).toEqual([path, true]);
    for (const path of [
      "/my-document.pdf",
      "/assets/my-document.pdf",
      "/assets/logo.svg",
      "/main.3f2a1b9c.js",
      "/assets/report-20240101.pdf",
    ])
      expect([path, isImmutable(path)]).toEqual([path, false]);
  });

  it("closes a file whose reader went away", async () => {
    const open = (): number => readdirSync(`/proc/${server.pid}/fd`).length;
    const before = open();
    const sockets = Array.from({ length: 5 }, () =>
      connect(port, "127.0.0.1", function (this: import("node:net").Socket) {
        this.write("GET /big.bin HTTP/1.1\r\nHost: x\r\n\r\n");
        this.pause();
      }),
    );
    await sleep(200);
    expect(open()).toBeGreaterThan(before);
    for (const socket of sockets) socket.destroy();
    await sleep(300);
    expect(open()).toBeLessThanOrEqual(before);
  });

  it("finishes what it is sending when it is asked to end", async () => {
    const [child, ownPort] = await start(["--root", root, "--fallback", "none"]);
    const received = new Promise<number>((resolve, reject) => {
      request({ port: ownPort, host: "127.0.0.1", path: "/big.bin" }, (incoming) => {
        let size = 0;
        child.kill("SIGTERM");
        setTimeout(() => incoming.on("data", (chunk: Buffer) => (size += chunk.length)), 200);
        incoming.on("end", () => resolve(size));
      })
        .on("error", reject)
        .end();
    });
    expect(await received).toBe(5_000_000);
    expect(await once(child, "exit")).toEqual([0, null]);
  });

  it("says what is wrong and ends", () => {
    const run = (args: string[]): string => {
      try {
        return execFileSync(process.execPath, [copy, ...args], { stdio: "pipe" }).toString();
      } catch (error) {
        return (error as { stderr: Buffer }).stderr.toString();
      }
    };
    expect(run([])).toContain("usage: static-server");
    expect(run(["--root", "/no/such/folder"])).toContain("/no/such/folder");
  });
});
