import { createHash } from "node:crypto";
import { appendFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { createApi } from "../src/client/api.ts";
import { createHttp } from "../src/client/http.ts";
import { sendLarge } from "../src/source/send.ts";
import { takeSnapshot } from "../src/source/snapshot.ts";
import { uploadSnapshot } from "../src/source/upload.ts";
import { type ApiServer, type Handler, json, problem, startApi, takesSource } from "./support/api-server.ts";
import { folderWith } from "./support/folder.ts";

const sha = (text: string) => `sha256:${createHash("sha256").update(text).digest("hex")}`;
const large = "x".repeat(600_000);

let server: ApiServer;
afterEach(() => server.kill().catch(() => {}));

async function upload(
  root: string,
  { routes = {}, before = () => {} }: { routes?: Readonly<Record<string, Handler>>; before?: () => void } = {},
) {
  server = await startApi({
    ...takesSource(sha("list")),
    ...routes,
  });
  const http = createHttp({ connection: () => ({ url: server.url, token: null }), patienceMs: 2000 });
  const snapshot = await takeSnapshot({ root, sources: ["."], except: [] });
  before();
  const progress: number[] = [];
  const digest = await uploadSnapshot(snapshot, { http, api: createApi(http), onProgress: (sent) => progress.push(sent) });
  return { digest, progress };
}

it("sends small contents together and large ones by themselves", async () => {
  const root = folderWith({ "a.txt": "one", "b.txt": "two", "c.bin": large, empty: "" });
  const { digest, progress } = await upload(root);
  expect(digest).toBe(sha("list"));
  const batch = server.seen.find(({ path }) => path === "/v1/blobs")!;
  expect(batch.body.toString()).toBe([`${sha("one")} 3\none`, `${sha("two")} 3\ntwo`, `${sha("")} 0\n`].join(""));
  const sent = server.seen.find(({ method }) => method === "PUT")!;
  expect(sent.path).toBe(`/v1/blobs/${sha(large)}`);
  expect(sent.body.equals(Buffer.from(large))).toBe(true);
  expect(progress.at(-1)).toBe(600_006);
});

it("sends only what is missing", async () => {
  await upload(folderWith({ "a.txt": "one", "c.bin": large }), {
    routes: { "POST /v1/snapshots": (_, response) => json(response, { digest: sha("list"), sizeBytes: 1 }) },
  });
  expect(server.seen.map(({ path }) => path)).toEqual(["/v1/snapshots"]);
});

it("keeps batches small", async () => {
  await upload(folderWith(Object.fromEntries(Array.from({ length: 1200 }, (_, i) => [`f${i}`, `content ${i}`]))));
  expect(server.seen.filter(({ path }) => path === "/v1/blobs")).toHaveLength(3);
});

describe("a file that changed since it was listed", () => {
  it("is told by name, whether small, large, grown or shrunk, and its list is not sent again", async () => {
    const changes: [name: string, change: (root: string) => void][] = [
      ["a.txt", (root) => writeFileSync(join(root, "a.txt"), "two")],
      ["c.bin", (root) => writeFileSync(join(root, "c.bin"), large.replace("x", "y"))],
      ["c.bin", (root) => appendFileSync(join(root, "c.bin"), "more")],
      ["c.bin", (root) => writeFileSync(join(root, "c.bin"), "short")],
    ];
    for (const [name, change] of changes) {
      const root = folderWith({ "a.txt": "one", "c.bin": large });
      await expect(upload(root, { before: () => change(root) })).rejects.toMatchObject({ name: "SourceChanged", path: name });
      expect(server.seen.filter(({ path }) => path === "/v1/snapshots")).toHaveLength(1);
      await server.kill();
    }
  });
});

it("passes on what the server refuses", async () => {
  const routes: Readonly<Record<string, Handler>> = {
    "PUT /v1/blobs/*": (_, response) => problem(response, { status: 413, code: "SOURCE_TOO_LARGE", detail: "at most 1 MiB" }),
  };
  await expect(upload(folderWith({ "c.bin": large }), { routes })).rejects.toMatchObject({ code: "SOURCE_TOO_LARGE" });
});

it("hears a refusal that comes before the body was read", async () => {
  const early = createServer((_, response) => problem(response, { status: 413, code: "SOURCE_TOO_LARGE", detail: "at most 1 MiB" }));
  await new Promise<void>((resolve) => early.listen(0, "127.0.0.1", resolve));
  const url = `http://127.0.0.1:${(early.address() as AddressInfo).port}`;
  const http = createHttp({ connection: () => ({ url, token: null }), patienceMs: 2000 });
  const bytes = "y".repeat(30_000_000);
  const root = folderWith({ "c.bin": bytes });
  const content = { digest: sha(bytes) as `sha256:${string}`, path: "c.bin", size: bytes.length };
  await expect(sendLarge(content, { http, root, onSent: () => {} })).rejects.toMatchObject({ code: "SOURCE_TOO_LARGE" });
  early.closeAllConnections();
  early.close();
});
