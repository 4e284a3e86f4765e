import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { ABUSES } from "./abuse.ts";
import { HOST, type Upstream, type World, get, makeUpstream, makeWorld, raw, target } from "./world.ts";

let world: World;
let web: Upstream;
let http = 0;

beforeAll(async () => {
  world = await makeWorld();
  web = await makeUpstream((req, res) => {
    let size = 0;
    req.on("data", (chunk: Buffer) => (size += chunk.length));
    req.on("end", () => res.end(`${req.method} ${req.url} ${size}`));
  });
  const observed = await world.apply([{ targets: [target(web.port)] }]);
  http = Number(new URL(observed.addresses[0]?.url ?? "").port);
  // So that a kept connection is there: what is smuggled must not get into it either.
  await get(http);
  web.seen.splice(0);
});

afterEach(() => void web.seen.splice(0));

afterAll(async () => {
  await web.close();
  await world.stop();
});

describe("abuse of HTTP/1.1", () => {
  it("has a table of at least 60 cases, each named once", () => {
    expect(ABUSES.length).toBeGreaterThanOrEqual(60);
    expect(new Set(ABUSES.map(({ name }) => name)).size).toBe(ABUSES.length);
  });

  it.each(ABUSES)("$name", async ({ bytes, status, reaches, closes }) => {
    const { text, isClosed } = await raw(http, bytes, closes ? 4000 : 250);
    const first = /^HTTP\/1\.1 (\d{3})/.exec(text)?.[1];
    const wanted = status === null ? [undefined] : [status].flat();
    expect(wanted, text.slice(0, 300)).toContain(first === undefined ? undefined : Number(first));
    expect(isClosed).toBe(closes);
    expect(web.seen.map(({ url }) => url)).toEqual(reaches);
    for (const request of web.seen) {
      expect(request.headers.host).toBe(HOST);
      expect(request.headers["transfer-encoding"] !== undefined && request.headers["content-length"] !== undefined).toBe(false);
    }
    // The router is as it was.
    expect((await get(http, { path: "/after" })).body).toBe("GET /after 0");
  });
});
