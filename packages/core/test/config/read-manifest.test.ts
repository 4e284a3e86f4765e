import { describe, expect, it } from "vitest";
import { manifestJsonSchema, readManifest, servicesToDetect, sourceMapOf } from "../../src/config/index.ts";
import { Ajv2020 } from "ajv/dist/2020.js";
import { parse } from "yaml";
import { PLUGINS } from "./plugins.ts";

const COMPLETE = `
project: shop
services:
  web:
    source: .
    build: node
    runtime: process
    start: node server.js
    env: { GREETING: hello }
    secrets: [DATABASE_PASSWORD]
    health: { path: /health, timeout: 60s }
    needs: [worker]
    volumes: { data: /data }
    filesystem: writable
    tasks: { migrate: node migrate.js }
    replicas: 1
    resources: { memory: 256Mi, cpu: 0.5 }
    labels: { owner: shop-team }
    drain: 30s
  site: { source: ./site/, build: static, static: { dir: dist, fallback: index.html } }
  worker: { build: node }
environments:
  production: { services: { web: { runtime: docker } } }
guardrails: { maturity: mvp }
rollback: { keep: 1, for: 10m }
`;

function read(text: string, options: Partial<Parameters<typeof readManifest>[0]> = {}) {
  return readManifest({ text, file: "helix.yaml", environment: "production", plugins: PLUGINS, ...options });
}

function service(lines: string, options: Parameters<typeof read>[1] = {}) {
  return read(`project: shop\nservices:\n  web:\n    build: node\n${lines.replace(/^/gm, "    ")}`, options).services["web"]!;
}

describe("readManifest", () => {
  it("reads every key of the format", () => {
    expect(read(COMPLETE, { environment: "staging" })).toMatchObject({
      project: "shop",
      services: {
        web: {
          source: ".",
          build: "node",
          runtime: "process",
          delivery: "router",
          start: "node server.js",
          env: { GREETING: "hello" },
          secrets: [{ name: "DATABASE_PASSWORD", as: "env" }],
          health: { path: "/health", timeoutMs: 60_000 },
          needs: ["worker"],
          volumes: { data: { path: "/data", writers: "single" } },
          filesystem: "writable",
          tasks: { migrate: "node migrate.js" },
          replicas: 1,
          resources: { memoryBytes: 268_435_456, cpu: 0.5 },
          labels: { owner: "shop-team" },
          drainMs: 30_000,
          options: {},
        },
        site: { source: "site", build: "static", options: { static: { dir: "dist", fallback: "index.html" } } },
      },
      guardrails: { maturity: "mvp" },
      rollback: { keep: 1, forMs: 600_000 },
    });
  });

  it("fills in every default", () => {
    expect(read("project: shop\nservices: { web: { build: node } }")).toEqual({
      project: "shop",
      services: {
        web: {
          source: ".",
          build: "node",
          runtime: "process",
          delivery: "router",
          start: null,
          env: {},
          secrets: [],
          health: { path: null, timeoutMs: 60_000 },
          needs: [],
          volumes: {},
          filesystem: "writable",
          tasks: {},
          replicas: 1,
          resources: { memoryBytes: null, cpu: null },
          labels: {},
          drainMs: 30_000,
          options: {},
        },
      },
      guardrails: { maturity: "mvp" },
      rollback: { keep: 1, forMs: 600_000 },
    });
  });

  it("merges an environment's overrides deeply; null removes, lists and texts replace", () => {
    const text = `${COMPLETE.replace("{ GREETING: hello }", "{ GREETING: hello, DEBUG: 1 }")}`.replace(
      "{ runtime: docker }",
      "{ runtime: docker, env: { DEBUG: null, GREETING: hi, NEW: yes }, secrets: [OTHER], needs: null, health: { timeout: 500ms } }",
    );
    expect(read(text).services["web"]).toMatchObject({
      runtime: "docker",
      env: { GREETING: "hi", NEW: "yes" },
      secrets: [{ name: "OTHER", as: "env" }],
      needs: [],
      health: { path: "/health", timeoutMs: 500 },
    });
    expect(Object.keys(read(text).services["web"]!.env)).toEqual(["GREETING", "NEW"]);
    expect(Object.keys(read(COMPLETE.replace("{ web: { runtime: docker } }", "{ site: null }")).services)).toEqual(["web", "worker"]);
  });

  it("needs no required key again in an override", () => {
    const text =
      "project: s\nservices: { a: { build: node, volumes: { v: { path: /v } } } }\nenvironments: { e: { services: { a: { volumes: { v: { writers: many } } } } } }";
    expect(read(text, { environment: "e" }).services["a"]!.volumes).toEqual({ v: { path: "/v", writers: "many" } });
  });

  it("keeps values as they are written", () => {
    expect(service("env: { V: 1.10, H: 0x1F, B: true, S: 'a b', Z: 007, N: yes }\nlabels: { n: 5 }")).toMatchObject({
      env: { V: "1.10", H: "0x1F", B: "true", S: "a b", Z: "007", N: "yes" },
      labels: { n: "5" },
    });
  });

  it("takes secrets and volumes in their long form", () => {
    expect(
      service("secrets: [A, { name: A, as: build }, { name: B }]\nvolumes: { v: { path: /v, writers: many } }\nreplicas: 2"),
    ).toMatchObject({
      secrets: [
        { name: "A", as: "env" },
        { name: "A", as: "build" },
        { name: "B", as: "env" },
      ],
      volumes: { v: { path: "/v", writers: "many" } },
    });
  });

  it.each([
    ["500ms", 500],
    ["1.5s", 1500],
    ["10m", 600_000],
    ["2h", 7_200_000],
  ])("reads the duration %s", (text, ms) => expect(service(`drain: ${text}`).drainMs).toBe(ms));

  it.each([
    ["256Mi", 268_435_456],
    ["1Gi", 1_073_741_824],
    ["512M", 512_000_000],
    ["1.5Gi", 1_610_612_736],
  ])("reads the size %s", (text, bytes) => expect(service(`resources: { memory: ${text} }`).resources.memoryBytes).toBe(bytes));

  it("keeps the options of the plugins in use only, with their defaults", () => {
    const text = "project: shop\nservices: { web: { build: static, static: { fallback: x.html }, docker: { network: { name: n } } } }";
    expect(read(text).services["web"]!.options).toEqual({ static: { dir: ".", fallback: "x.html" } });
    expect(read(text, { overrides: { runtime: "docker" } }).services["web"]!.options).toMatchObject({ docker: { network: { name: "n" } } });
  });

  it("gives a plugin of two planes one section", () => {
    expect(read("project: shop\nservices: { web: { build: both, runtime: both, both: { flags: [x] } } }").services["web"]!.options).toEqual(
      {
        both: { flags: ["x"], zone: "a" },
      },
    );
  });

  it("lets x- keys, anchors and merge keys pass", () => {
    const text =
      "x-base: &base { build: node, env: { A: a, B: b } }\nproject: shop\nservices: { web: { <<: *base, env: { A: own }, x-note: 1 } }";
    expect(read(text).services["web"]).toMatchObject({ build: "node", env: { A: "own" } });
  });

  it("allows services that need each other", () => {
    expect(read("project: s\nservices: { a: { build: node, needs: [b] }, b: { build: node, needs: [a] } }").services["a"]!.needs).toEqual([
      "b",
    ]);
  });

  it("puts what was detected below what is written", () => {
    const text = "project: shop\nservices: { web: { start: node mine.js } }";
    const defaults = { web: { build: "node", start: "node detected.js", env: { A: "x" } } };
    expect(read(text, { defaults }).services["web"]).toMatchObject({ build: "node", start: "node mine.js", env: { A: "x" } });
  });

  it("checks what was detected, and points at the service", () => {
    const text = "project: shop\nservices:\n  web: {}\n";
    expect(() => read(text, { defaults: { web: { build: "node", nope: 1 } } })).toThrow(
      /^helix\.yaml:3:3: services\.web: unknown key "nope"/,
    );
    expect(() => read(text, { defaults: { web: { build: "gone" } } })).toThrow(/^helix\.yaml:3:3: no build plugin is named "gone"/);
  });

  it("lets one deployment choose another runtime", () => {
    expect(read(COMPLETE, { overrides: { runtime: "process" } }).services["web"]!.runtime).toBe("process");
    expect(() => read(COMPLETE, { overrides: { runtime: "dokcer" } })).toThrow(
      /no runtime plugin is named "dokcer"; did you mean "docker"\?/,
    );
  });

  it("gives a frozen value", () => {
    expect(Object.isFrozen(read(COMPLETE).services["web"]!.env)).toBe(true);
  });

  it("never mistakes a name for the prototype", () => {
    expect(service("env: { __proto__: x, constructor: y }").env).toEqual(JSON.parse('{ "__proto__": "x", "constructor": "y" }'));
    expect(() => read("__proto__: { project: x }\nproject: shop\nservices: { web: { build: node } }")).toThrow(/unknown key "__proto__"/);
  });
});

describe("servicesToDetect", () => {
  it("names the services that say nothing of their build, in the environment asked for", () => {
    const text =
      "project: s\nservices: { a: { source: ./a }, b: { build: node }, c: {} }\nenvironments: { e: { services: { c: { build: node } } } }";
    expect(servicesToDetect({ text, environment: "production" })).toEqual([
      { service: "a", source: "./a" },
      { service: "c", source: "." },
    ]);
    expect(servicesToDetect({ text, environment: "e" }).map(({ service: name }) => name)).toEqual(["a"]);
    expect(servicesToDetect({ text: "a: [", environment: "e" })).toEqual([]);
    expect(servicesToDetect({ text: "services: 5", environment: "e" })).toEqual([]);
  });
});

describe("sourceMapOf", () => {
  const map = sourceMapOf({ text: COMPLETE, environment: "production" });

  it.each([
    ["services.web.health.path", 11],
    ["services.web.secrets.0", 10],
    ["services.web.runtime", 23],
    ["services.web.env.MISSING.deeper", 9],
    ["services.web.unwritten", 4],
    ["guardrails.maturity", 24],
    ["nothing", null],
    ["", null],
  ])("finds %s", (path, line) => expect(map.lineOf(path)).toBe(line));

  it("is empty for a text that cannot be read", () => {
    expect(sourceMapOf({ text: "a: [", environment: "production" }).lines()).toEqual({});
    expect(sourceMapOf({ text: "[]", environment: "production" }).lineOf("0")).toBe(null);
  });
});

describe("manifestJsonSchema", () => {
  const schema = manifestJsonSchema(PLUGINS);
  const validate = new Ajv2020({ strict: false }).compile(schema);

  it("accepts what the reader accepts, null in overrides too", () => {
    expect(validate(parse(COMPLETE))).toBe(true);
    expect(validate(parse(COMPLETE.replace("{ runtime: docker }", "{ runtime: null, env: { A: null }, health: { path: null } }")))).toBe(
      true,
    );
    expect(validate(parse(COMPLETE.replace("{ web: { runtime: docker } }", "{ web: null }")))).toBe(true);
  });

  it("refuses what the reader refuses", () => {
    expect(validate(parse(COMPLETE.replace("replicas:", "replica:")))).toBe(false);
    expect(validate(parse(COMPLETE.replace("dir: dist", "dri: dist")))).toBe(false);
    expect(validate(parse(COMPLETE.replace("drain: 30s", "drain: null")))).toBe(false);
  });

  it("is plain JSON with sections for plugins that take options", () => {
    expect(JSON.parse(JSON.stringify(schema))).toEqual(schema);
    expect(JSON.stringify(schema)).toContain('"network"');
  });
});
