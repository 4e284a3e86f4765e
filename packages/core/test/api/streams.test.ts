import { connect } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { eventually } from "../support/eventually.ts";
import { type TestPostgres, startPostgres } from "../support/postgres.ts";
import { type TestServer, readStream, startServer } from "./server.ts";

let postgres: TestPostgres;
let server: TestServer;
let url: string;
beforeAll(async () => {
  postgres = await startPostgres();
  server = await startServer(postgres, { streams: { heartbeatMs: 50, stallMs: 400 } });
  url = await server.listen();
});
afterAll(async () => {
  await server.close();
  await postgres.stop();
});

function manifest(project: string, env = "one"): string {
  return `project: ${project}\nservices:\n  web: { build: memory, runtime: memory, delivery: memory, start: node ., env: { V: ${env} } }\n`;
}

const read = (path: string, options: Omit<Parameters<typeof readStream>[1], "token"> = {}) =>
  readStream(`${url}${path}`, { token: server.token, ...options });

describe("events of a deployment", () => {
  it("come from the ledger and then as they happen, numbered without gaps, and end with the verdict", async () => {
    const { json } = await server.deploy(manifest("live"));
    const reading = read(`/v1/deployments/${json.id}/events`);
    await sleep(100);
    await server.bench.work();
    const events = await reading;
    expect(events.map(({ id }) => Number(id))).toEqual(events.map((_, i) => i + 1));
    expect(events[0]).toMatchObject({ event: "deployment.queued", data: { state: "queued", kind: "deploy", at: expect.any(String) } });
    const { json: result } = await server.call("GET", `/v1/deployments/${json.id}/result`);
    expect(result).toMatchObject({ deployment: { status: "live" }, services: [{ name: "web" }] });
    expect(events.at(-1)).toMatchObject({ event: "deployment.live", data: { state: "live", result } });
    expect(events.map(({ event }) => event)).toEqual(expect.arrayContaining(["step.started", "step.done"]));

    expect(events.find(({ event }) => event === "step.done")!.data).toMatchObject({ state: "done", step: "plan" });

    const rest = await read(`/v1/deployments/${json.id}/events`, { headers: { "last-event-id": events.at(-3)!.id } });
    expect(rest).toEqual(events.slice(-2));
    const bad = await server.call("GET", `/v1/deployments/${json.id}/events`, { headers: { "last-event-id": "x" } });
    expect(bad).toMatchObject({ status: 400, json: { code: "USAGE" } });
  });

  it("come a document a line where that is asked for", async () => {
    const { json } = await server.deploy(manifest("lines"));
    await server.bench.work();
    const { text, headers } = await server.call("GET", `/v1/deployments/${json.id}/events`, {
      headers: { accept: "application/x-ndjson" },
    });
    expect(headers["content-type"]).toContain("application/x-ndjson");
    const events = text
      .split("\n")
      .filter(Boolean)
      .map((line) => JSON.parse(line) as { id: string; event: string });
    expect(events.at(-1)).toMatchObject({ event: "deployment.live" });
  });

  it("go on after the verdict for those who follow, with heartbeats in between", async () => {
    const { json } = await server.deploy(manifest("on"));
    await server.bench.work();
    const raw = await rawStream(`/v1/deployments/${json.id}/events?follow=true`);
    await eventually(() => expect(raw.text()).toContain("event: deployment.live"));
    await eventually(() => expect(raw.text().match(/^: $/gm)?.length).toBeGreaterThan(2));
    raw.socket.destroy();
  });
});

describe("the log of a deployment", () => {
  it("is read, resumed, cut to its tail and followed to the deployment's end", async () => {
    const { json } = await server.deploy(manifest("log"));
    const path = `/v1/deployments/${json.id}/logs`;
    const stream = `deployment:${json.id}`;
    const line = (text: string) => ({ at: "2026-01-01T00:00:00.000Z", level: "info" as const, step: "build:web", text });
    await server.deps.logs.append(stream, [line("one"), line("two")]);
    const following = read(`${path}?follow=true`);
    await sleep(50);
    await server.deps.logs.append(stream, [line("three")]);
    await server.bench.work();
    const lines = (await following).map(({ data }) => data.text);
    expect(lines.slice(0, 3)).toEqual(["one", "two", "three"]);

    const all = await read(path);
    expect(all.map(({ data }) => data.text)).toEqual(lines);
    expect(all[0]).toMatchObject({ event: "line", data: { level: "info", step: "build:web" } });
    expect((await read(path, { headers: { "last-event-id": all[0]!.id } })).map(({ data }) => data.text)).toEqual(lines.slice(1));
    expect((await read(`${path}?tail=1`)).map(({ data }) => data.text)).toEqual(lines.slice(-1));
    expect(await read(`${path}?tail=0`)).toEqual([]);
  });
});

describe("the log of a service", () => {
  it("is read from its runtime and resumed by cursor", async () => {
    await server.deploy(manifest("app"));
    await server.bench.work();
    const path = "/v1/projects/app/environments/production/services/web/logs";
    const all = await read(path);
    expect(all[0]).toMatchObject({ event: "line", data: { stream: "stdout", instance: 0, revision: expect.stringMatching(/^rev_/) } });
    expect(await read(path, { headers: { "last-event-id": all.at(-1)!.id } })).toEqual([]);
    expect(await read(`${path}?tail=1`)).toEqual(all.slice(-1));
  });

  it("hands its follower on to the next revision", async () => {
    await server.deploy(manifest("next"));
    await server.bench.work();
    const path = "/v1/projects/next/environments/production/services/web/logs?follow=true";
    const revisions = (events: readonly { data: { revision?: string } }[]) => new Set(events.map(({ data }) => data.revision)).size;
    const following = read(path, { until: (events) => revisions(events) === 2 });
    await sleep(200);
    await server.deploy(manifest("next", "two"));
    await server.bench.work();
    const events = await following;
    expect(revisions(events)).toBe(2);
    expect(new Set(events.map(({ id }) => id)).size).toBe(events.length);
  });

  it("of a runtime that keeps none is refused", async () => {
    const other = await startServer(postgres, { changes: ({ plugins }) => ({ plugins: { ...plugins, supports: () => false } }) });
    await other.deploy(manifest("mute"));
    await other.bench.work();
    const answer = await other.call("GET", "/v1/projects/mute/environments/production/services/web/logs");
    expect(answer.json).toMatchObject({ code: "UNSUPPORTED", plugin: "memory@0.1.0" });
    expect((await other.call("GET", "/v1/projects/mute/environments/production/stats")).json.items).toEqual([]);
    await other.close();
  });

  it("that breaks off says why, as an event", async () => {
    await server.deploy(manifest("breaks"));
    await server.bench.work();
    const other = await startServer(postgres, {
      changes: () => ({
        ledger: server.deps.ledger,
        dispatcher: {
          ...server.deps.dispatcher,
          stream: () => ({ [Symbol.asyncIterator]: () => ({ next: () => Promise.reject(new Error("no such file")) }) }),
        },
      }),
    });
    const { text } = await other.call("GET", "/v1/projects/breaks/environments/production/services/web/logs", { token: server.token });
    expect(text).toContain("event: error");
    expect(text).toContain('"code":"BUG"');
    await other.api.close();
    await other.bench.close();
  });
});

describe("readers", () => {
  it("that stop reading hold up nobody and are given up", async () => {
    const { json } = await server.deploy(manifest("slow"));
    const stream = `deployment:${json.id}`;
    const text = "x".repeat(10_000);
    for (let i = 0; i < 20; i++) {
      await server.deps.logs.append(
        stream,
        Array.from({ length: 100 }, () => ({ at: "2026-01-01T00:00:00.000Z", level: "info" as const, step: null, text })),
      );
    }
    const stuck = await rawStream(`/v1/deployments/${json.id}/logs`);
    stuck.socket.pause();
    const lines = await read(`/v1/deployments/${json.id}/logs`);
    expect(lines).toHaveLength(2000);
    await eventually(async () => expect(await openStreams()).toBe(0), 5000);
    stuck.socket.destroy();
    await server.call("POST", `/v1/deployments/${json.id}/cancel`);
  });

  it("that go away leave nothing behind", async () => {
    const { json } = await server.deploy(manifest("leave"));
    const raw = await rawStream(`/v1/deployments/${json.id}/events`);
    await eventually(async () => expect(await openStreams()).toBe(1));
    raw.socket.destroy();
    await eventually(async () => expect(await openStreams()).toBe(0));
    await server.call("POST", `/v1/deployments/${json.id}/cancel`);
  });
});

describe("a server that stops", () => {
  it("tells readers to come again, lets requests finish, and takes no more", async () => {
    const other = await startServer(postgres, {
      changes: ({ engine }) => ({ engine: { ...engine, sweep: async () => sleep(400, { drift: [], orphans: [], unknown: [] }) } }),
    });
    const base = await other.listen();
    const { json } = await other.deploy(manifest("stop"));
    const events = readStream(`${base}/v1/deployments/${json.id}/events`, { token: other.token });
    const slow = fetch(`${base}/v1/sweep`, { headers: { authorization: `Bearer ${other.token}` } });
    await sleep(150);
    const began = performance.now();
    const closing = other.api.close();
    expect((await events).at(-1)).toMatchObject({ event: "reconnect" });
    expect(performance.now() - began).toBeLessThan(300);
    expect((await slow).status).toBe(200);
    await closing;
    await expect(fetch(`${base}/health/live`)).rejects.toThrow();
    await other.bench.close();
  });
});

async function openStreams(): Promise<number> {
  const text = await server.deps.metrics.text();
  return [...text.matchAll(/^helix_http_streams\{.*\} (\d+)$/gm)].reduce((sum, match) => sum + Number(match[1]), 0);
}

/** A stream on a bare socket, which a test can stop reading. */
async function rawStream(path: string) {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  let text = "";
  socket.on("data", (chunk) => (text += chunk.toString())).on("error", () => {});
  socket.write(`GET ${path} HTTP/1.1\r\nhost: 127.0.0.1\r\nauthorization: Bearer ${server.token}\r\n\r\n`);
  await eventually(() => expect(text).toContain("200 OK"));
  return { socket, text: () => text };
}
