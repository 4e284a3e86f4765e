import { once } from "node:events";
import { Agent } from "node:http";
import { type AddressInfo, createServer } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import type { Route } from "@helixstack/sdk";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { WebSocket } from "ws";
import { HOST, type Upstream, get, makeRawUpstream, makeUpstream, makeWebSocketServer, raw, tableOf, target, until } from "./tools.ts";
import type { DeliveryWorld } from "./world.ts";

/** What every delivery plugin of one machine does, told from outside: the same suite for each of them. `make` gives a world with `held: 5`. */
export function describeDelivery(make: () => Promise<DeliveryWorld>): void {
  let world: DeliveryWorld;
  const apps: Upstream[] = [];

  beforeAll(async () => {
    world = await make();
    for (const name of ["a", "b"]) apps.push(await makeUpstream((req, res) => void req.resume().on("end", () => res.end(name))));
  });

  afterAll(async () => {
    await Promise.all(apps.map((app) => app.close()));
    await world?.stop();
  });

  const portOf = (i: number): number => apps[i % 2]?.port ?? 0;
  const nameOf = (i: number): string => "ab"[i % 2] as string;
  /** The table of the i-th switch: the other application, under a release of its own. */
  const serving = (i: number): Partial<Route> => ({ targets: [target(portOf(i), { revision: `r${i}`, release: String(i) })] });
  const serve = async (routes: readonly Partial<Route>[], unit?: string): Promise<number> => {
    const observed = await world.apply(routes, unit === undefined ? {} : { unit });
    return observed.addresses[0]?.address.port ?? 0;
  };

  describe("a request", () => {
    it("reaches its service by host name and by port, and says where it came from", async () => {
      const web = await makeUpstream((req, res) => {
        res.setHeader("set-cookie", ["a=1", "b=2"]);
        res.end(JSON.stringify({ url: req.url, headers: req.headers }));
      });
      const observed = await world.apply([{ targets: [target(web.port, { release: "rel-1" })] }]);
      const http = Number(new URL(observed.addresses[0]?.url ?? "").port);
      const port = observed.addresses[0]?.address.port ?? 0;
      expect((await get(http, { headers: { host: `${HOST.toUpperCase()}:${http}` } })).status).toBe(200);
      expect((await get(port, { headers: { host: "anything.example" } })).status).toBe(200);
      const answer = await get(http, {
        path: "/x?y=1",
        headers: { te: "trailers", "x-forwarded-for": "203.0.113.9", "x-request-id": "abc-123" },
      });
      expect(answer.headers).toMatchObject({ "set-cookie": ["a=1", "b=2"], "x-helix-release": "rel-1", "x-request-id": "abc-123" });
      const { url, headers } = JSON.parse(answer.body) as { url: string; headers: Record<string, string> };
      expect(url).toBe("/x?y=1");
      expect(headers).toMatchObject({
        host: HOST,
        "x-forwarded-for": "127.0.0.1",
        "x-forwarded-host": HOST,
        "x-forwarded-proto": "http",
        "x-request-id": "abc-123",
      });
      expect(headers["te"]).toBeUndefined();
      await web.close();
    });

    it("for an unknown host is told which, as text or JSON, and has an id", async () => {
      const observed = await world.apply([serving(0)]);
      const http = Number(new URL(observed.addresses[0]?.url ?? "").port);
      const text = await get(http, { headers: { host: "nobody.localhost", "x-request-id": "a b{}" } });
      expect(text.status).toBe(404);
      expect(text.body).toContain('"nobody.localhost"');
      expect(text.headers["x-request-id"]).toMatch(/^[0-9a-z-]{10,}$/);
      expect(text.body).toContain(String(text.headers["x-request-id"]));
      const json = await get(http, { headers: { host: "nobody.localhost", accept: "application/json" } });
      expect(JSON.parse(json.body)).toMatchObject({ error: { status: 404, code: "UNKNOWN_HOST" } });
    });

    it("finds a body of any size at the other end", async () => {
      const sizes = await makeUpstream((req, res) => {
        let size = 0;
        req.on("data", (chunk: Buffer) => (size += chunk.length)).on("end", () => res.end(`${size} ${"y".repeat(300_000)}`));
      });
      const port = await serve([{ targets: [target(sizes.port)] }]);
      const answer = await get(port, { method: "POST", body: Buffer.alloc(3_000_000, 1), headers: { "transfer-encoding": "chunked" } });
      expect(answer.body).toBe(`3000000 ${"y".repeat(300_000)}`);
      await sizes.close();
    });

    it("cannot smuggle another one", async () => {
      const seen: string[] = [];
      const web = await makeUpstream((req, res) => {
        seen.push(req.url ?? "");
        req.resume().on("end", () => res.end("ok"));
      });
      const port = await serve([{ targets: [target(web.port)] }]);
      const smuggled = "GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n";
      const heads = [
        `Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${smuggled}`,
        `Content-Length: 0\r\nContent-Length: 44\r\n\r\n${smuggled}`,
        `Transfer-Encoding: xchunked\r\n\r\n${smuggled}`,
        `Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n${smuggled}`,
        `Content-Length: +3\r\n\r\nabc${smuggled}`,
        `Transfer-Encoding: chunked\r\n\r\n3;\n\r\nabc\r\n0\r\n\r\n`,
      ];
      for (const head of heads) await raw(port, `POST /outer HTTP/1.1\r\nHost: a\r\n${head}`, 200);
      await raw(port, `GET / HTTP/1.1\r\nHost: a\r\nX: ${"y".repeat(200_000)}\r\n\r\n`, 200);
      expect(seen.filter((url) => url !== "/outer" && url !== "/smuggled")).toEqual([]);
      // A second request on the connection is fair where the first has one reading; then it comes as one, never within a body.
      for (const url of seen) expect(["/outer", "/smuggled"]).toContain(url);
      expect(seen.length).toBeLessThanOrEqual(3);
      expect((await get(port)).body).toBe("ok");
      await web.close();
    });
  });

  describe("a switch", () => {
    it("loses no request under load, and sends none to the old target once it returned", async () => {
      const port = await serve([serving(0)]);
      const agent = new Agent({ keepAlive: true, maxSockets: 8 });
      let isOver = false;
      let done = 0;
      let served = 0;
      const failures: string[] = [];
      const client = async (options: { agent?: Agent }): Promise<void> => {
        while (!isOver) {
          const doneBefore = done;
          try {
            const answer = await get(port, options);
            const release = Number(answer.headers["x-helix-release"]);
            served += 1;
            if (answer.status !== 200 || answer.body !== nameOf(release)) failures.push(`${answer.status} ${answer.body} by ${release}`);
            if (release < doneBefore) failures.push(`release ${release} after the switch to ${doneBefore} had returned`);
          } catch (error) {
            failures.push(String(error));
          }
        }
      };
      const clients = Array.from({ length: 12 }, (_, i) => client(i < 8 ? { agent } : {}));
      try {
        for (let i = 1; i <= 30; i += 1) {
          await world.apply([serving(i)]);
          done = i;
          await sleep(20);
        }
      } finally {
        isOver = true;
        await Promise.all(clients);
        agent.destroy();
      }
      expect(failures).toEqual([]);
      expect(served).toBeGreaterThan(200);
    });

    it("keeps a client's connection and lets its request in flight finish on the old target", async () => {
      const slow = await makeUpstream((_req, res) => void setTimeout(() => res.end("slow"), 300));
      const port = await serve([{ targets: [target(slow.port)] }]);
      const agent = new Agent({ keepAlive: true, maxSockets: 1 });
      const first = get(port, { agent });
      await until(() => slow.seen.length === 1);
      await world.apply([{ targets: [target(portOf(0))] }]);
      expect((await first).body).toBe("slow");
      expect((await get(port, { agent })).body).toBe("a");
      expect(slow.seen).toHaveLength(1);
      agent.destroy();
      await slow.close();
    });

    it("shares by weight, smoothly, and sends nothing to weight 0", async () => {
      const port = await serve([
        { targets: [target(portOf(0), { weight: 3 }), target(portOf(1), { weight: 1 }), target(9, { weight: 0 })] },
      ]);
      let bodies = "";
      for (let i = 0; i < 12; i += 1) bodies += (await get(port)).body;
      expect("aabaaabaaabaaaba").toContain(bodies);
    });

    it("goes for all services of a table at once, and each has its own port", async () => {
      const two = [
        { ...serving(0), hosts: ["web2.localhost"] },
        { ...serving(1), service: "api", hosts: ["api.localhost"] },
      ];
      const observed = await world.apply(two, { unit: "two" });
      const [web, api] = observed.addresses.map(({ address }) => address.port);
      expect(web).not.toBe(api);
      expect([(await get(web!)).body, (await get(api!)).body]).toEqual(["a", "b"]);
      await world.delivery.destroy(world.ctx("two"), { prior: null });
    });

    it("leaves a WebSocket where it is", async () => {
      const { server, port: own } = await makeWebSocketServer();
      server.on("connection", (socket) => socket.on("message", (text: Buffer) => socket.send(`echo ${text.toString()}`)));
      const port = await serve([{ targets: [target(own)] }]);
      const client = new WebSocket(`ws://127.0.0.1:${port}/`, { headers: { host: HOST } });
      const messages: string[] = [];
      client.on("message", (data: Buffer) => messages.push(data.toString()));
      await once(client, "open");
      await serve([serving(0)]);
      client.send("still there");
      await until(() => messages.includes("echo still there"));
      expect((await get(port)).body).toBe("a");
      client.terminate();
      server.close();
    });
  });

  describe("a table", () => {
    it("never goes back to a lower generation", async () => {
      const table = [{ service: "other", hosts: ["g.localhost"], targets: [target(portOf(0))] }];
      await world.apply(table, { unit: "gen", generation: 5 });
      await expect(world.apply(table, { unit: "gen", generation: 4 })).rejects.toMatchObject({ code: "STALE_FENCE" });
      await expect(world.apply([{ ...table[0], holdMs: 5 }], { unit: "gen", generation: 5 })).rejects.toMatchObject({
        code: "STALE_FENCE",
      });
      await expect(world.apply(table, { unit: "gen", generation: 5 })).resolves.toMatchObject({ generation: 5 });
    });

    it("has its hosts to itself", async () => {
      await world.apply([{ service: "x", hosts: ["x.localhost"] }], { unit: "gen2", generation: 1 });
      await expect(world.apply([{ service: "y", hosts: ["x.localhost"] }], { unit: "gen3", generation: 1 })).rejects.toMatchObject({
        code: "CONFLICT",
      });
    });

    it("that cannot be served is refused, and the place is named", async () => {
      await expect(world.apply([{ hosts: ["Upper.localhost"] }], { unit: "bad" })).rejects.toMatchObject({
        code: "INVALID_SPEC",
        message: expect.stringContaining("Upper"),
      });
      const elsewhere = target(1, { endpoint: { kind: "tcp", host: "127.0.0.1", port: 1 } });
      await expect(world.apply([{ targets: [elsewhere] }], { unit: "bad" })).rejects.toMatchObject({ code: "INVALID_SPEC" });
    });

    it("that is as it should be needs no change", async () => {
      const observed = await world.apply([serving(0)]);
      const same = tableOf(9999, [{ ...serving(0), port: observed.addresses[0]?.address.port ?? 0 }]);
      expect(world.delivery.plan({ table: same, observed })).toEqual([]);
      expect(world.delivery.plan({ table: tableOf(9999, []), observed })).toMatchObject([{ action: "delete", path: "routes.web" }]);
    });

    it("that is destroyed answers no more, twice as well as once", async () => {
      const observed = await world.apply([{ ...serving(0), hosts: ["bye.localhost"] }], { unit: "bye" });
      const http = Number(new URL(observed.addresses[0]?.url ?? "").port);
      expect((await get(http, { headers: { host: "bye.localhost" } })).status).toBe(200);
      for (let i = 0; i < 2; i += 1) await world.delivery.destroy(world.ctx("bye"), { prior: null });
      expect((await get(http, { headers: { host: "bye.localhost" } })).status).toBe(404);
      expect(await world.delivery.observe(world.ctx("bye"), { prior: null })).toBeNull();
    });
  });

  describe("a route without a target", () => {
    const hold = (holdMs: number | null, service: string): Promise<number> =>
      serve([{ service, hosts: [`${service}.localhost`], holdMs }], service);

    it("answers 503 at once when it does not hold", async () => {
      const answer = await get(await hold(null, "none"));
      expect(answer).toMatchObject({ status: 503, headers: { "retry-after": "1" } });
      expect(answer.body).toContain('"none"');
    });

    it("holds requests, and lets them go on when a target comes", async () => {
      const port = await hold(5000, "held");
      const waiting = Array.from({ length: 5 }, (_, i) => get(port, { path: `/${i}`, method: "POST", body: "x".repeat(1000) }));
      await sleep(150);
      expect(await get(port, { path: "/over" })).toMatchObject({ status: 503 });
      await world.apply([{ ...serving(0), service: "held", hosts: ["held.localhost"] }], { unit: "held" });
      expect((await Promise.all(waiting)).map(({ status, body }) => `${status} ${body}`)).toEqual(Array(5).fill("200 a"));
    });

    it("holds no longer than it was told, or until the hold is given up", async () => {
      const begun = performance.now();
      expect((await get(await hold(200, "short"))).status).toBe(503);
      expect(performance.now() - begun).toBeGreaterThan(180);
      const port = await hold(20_000, "given-up");
      const waiting = get(port);
      await sleep(50);
      await hold(null, "given-up");
      expect((await waiting).status).toBe(503);
    });
  });

  describe("a target that fails", () => {
    it("to take the connection is passed over for another one, body and all", async () => {
      const dead = await deadPort();
      const port = await serve([{ targets: [target(dead), target(portOf(0)), target(await deadPort())] }]);
      for (let i = 0; i < 6; i += 1) {
        expect(await get(port, { method: "POST", body: "hello" })).toMatchObject({ status: 200, body: "a" });
        expect(await get(port)).toMatchObject({ status: 200, body: "a" });
      }
    });

    it("and is the only one gives 502", async () => {
      expect((await get(await serve([{ targets: [target(await deadPort())] }]))).status).toBe(502);
    });

    it("in the middle of its answer breaks the client's connection, so that half is not taken for all", async () => {
      const upstream = await makeRawUpstream((socket) => {
        socket.write("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf");
        setTimeout(() => socket.destroy(), 50);
      });
      const port = await serve([{ targets: [target(upstream.port)] }]);
      const { text, isClosed } = await raw(port, `GET / HTTP/1.1\r\nHost: ${HOST}\r\n\r\n`);
      expect(isClosed).toBe(true);
      expect(text).toContain("half");
      upstream.close();
    });

    it("never gets a request twice that is not idempotent", async () => {
      const lines: string[] = [];
      const counts = new WeakMap<object, number>();
      const upstream = await makeRawUpstream((socket, bytes) => {
        lines.push(bytes.toString().split("\r\n")[0] ?? "");
        const count = (counts.get(socket) ?? 0) + 1;
        counts.set(socket, count);
        if (count === 1) socket.write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
        else socket.destroy();
      });
      const port = await serve([{ targets: [target(upstream.port)] }]);
      const agent = new Agent({ keepAlive: true, maxSockets: 1 });
      expect((await get(port, { agent })).status).toBe(200);
      expect((await get(port, { agent })).status).toBe(200);
      await get(port, { method: "POST", body: "x", path: "/once", agent }).catch(() => null);
      expect(lines.filter((line) => line.includes("/once"))).toHaveLength(1);
      agent.destroy();
      upstream.close();
    });
  });

  describe("a drain", () => {
    const drain = async (revision: string, timeoutMs: number) =>
      (await world.delivery.drain?.(world.ctx(), { revisions: [revision], timeoutMs })) ?? { closed: -1, waitedMs: -1 };

    it("waits for a request in flight and closes nothing; returns at once when there is none", async () => {
      const slow = await makeUpstream((_req, res) => void setTimeout(() => res.end("slow"), 500));
      const port = await serve([{ targets: [target(slow.port, { revision: "slow-1" })] }]);
      const answer = get(port);
      await until(() => slow.seen.length === 1);
      await serve([serving(0)]);
      const drained = await drain("slow-1", 5000);
      expect(drained.closed).toBe(0);
      expect(drained.waitedMs).toBeGreaterThan(200);
      expect((await answer).body).toBe("slow");
      expect((await drain("slow-1", 5000)).waitedMs).toBeLessThan(1000);
      expect(await drain("nobody", 5000)).toMatchObject({ closed: 0 });
      await slow.close();
    });

    it("closes what is left when the time is over, and says how much", async () => {
      const stuck = await makeUpstream(() => undefined);
      const port = await serve([{ targets: [target(stuck.port, { revision: "stuck-1" })] }]);
      const answers = [get(port), get(port)].map((answer) =>
        answer.then(
          ({ status }) => status,
          () => 0,
        ),
      );
      await until(() => stuck.seen.length === 2);
      await serve([serving(0)]);
      expect((await drain("stuck-1", 300)).closed).toBe(2);
      // Cut, told so, or (a GET may be sent twice) answered by the new revision.
      for (const status of await Promise.all(answers)) expect([0, 200, 502, 503]).toContain(status);
      await stuck.close();
    });
  });

  describe("a data plane that is killed", () => {
    it("is listed from disk while it is away, and not observed: nothing is served", async () => {
      await world.apply([serving(0)]);
      await world.kill();
      expect(await world.delivery.observe(world.ctx(), { prior: null })).toBeNull();
      const listed = await world.delivery.list(world.ctx(), { installation: "inst" });
      expect(listed).toContainEqual(expect.objectContaining({ kind: "routes", id: world.unit }));
      expect(await world.delivery.list(world.ctx(), { installation: "foreign" })).toEqual([]);
      await world.start();
    });

    it("serves the last table on the same ports when it is back, without the control plane, and remembers its generation", async () => {
      for (const i of [0, 1, 0]) await world.apply([serving(i)]);
      const before = await world.apply([serving(1), { ...serving(0), service: "api", hosts: ["api2.localhost"] }]);
      const http = Number(new URL(before.addresses[0]?.url ?? "").port);
      await world.kill();
      await world.start();
      expect((await get(http)).body).toBe("b");
      const bodies = await Promise.all(before.addresses.map(async ({ address }) => (await get(address.port)).body));
      expect(bodies).toEqual(["b", "a"]);
      expect(await world.delivery.observe(world.ctx(), { prior: null })).toEqual(before);
      await expect(world.apply([], { generation: before.generation - 1 })).rejects.toMatchObject({ code: "STALE_FENCE" });
      await world.apply([serving(0)], { generation: before.generation + 1 });
    });
  });
}

async function deadPort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
