import { describe, expect, it } from "vitest";
import { readManifest } from "../../src/config/index.ts";
import type { EngineError } from "../../src/domain/errors.ts";
import { PLUGINS } from "./plugins.ts";

/** A manifest whose service `web` has these lines besides `build: node`; they begin in line 5. */
function web(...lines: readonly string[]): string {
  return ["project: shop", "services:", "  web:", "    build: node", ...lines.map((line) => `    ${line}`)].join("\n");
}

/** The same without `build: node`: lines begin in line 4. */
function bare(...lines: readonly string[]): string {
  return web(...lines).replace("    build: node\n", "");
}

function failure(text: string, environment = "production"): EngineError {
  try {
    readManifest({ text, file: "helix.yaml", environment, plugins: PLUGINS });
  } catch (error) {
    return error as EngineError;
  }
  throw new Error("the manifest was taken");
}

const NAME = "(lower-case letters, digits and dashes, at most 40)";

/** What is written, where the problem stands, what is said. */
const TABLE: readonly (readonly [string, string, string, string])[] = [
  ["an empty file", "", "1:1", "the file is empty; write at least `project` and `services`"],
  ["only a comment", "# later\n", "1:1", "the file is empty; write at least `project` and `services`"],
  ["a list", "- web\n", "1:1", "the file must be a map of keys, not a list"],
  ["a word", "shop\n", "1:1", 'the file must be a map of keys, not "shop"'],
  ["a tab", "project: shop\nservices:\n\tweb: {}\n", "3:1", "a tab stands where spaces must; indent with spaces"],
  ["a key twice", web("replicas: 1", "replicas: 2"), "6:5", 'the key "replicas" stands here twice; remove one'],
  ["two documents", `${web()}\n---\nproject: other\n`, "5:1", "only one YAML document is read; remove what follows the `---`"],
  ["a second colon", web("start: node a: b"), "5:12", "a second `: ` stands in this line; put the value in quotes, or begin a new line"],
  ["a reserved character", web("start: @x"), "5:12", "a value cannot begin with @; put it in quotes"],
  ["a key without colon", "project\nservices: {}\n", "1:1", "a `: ` is missing after the key"],
  [
    "an open bracket",
    web("needs: [a, b"),
    "5:17",
    "this is not YAML: flow sequence in block collection must be sufficiently indented and end with a ]",
  ],
  ["a line too deep", web("  env: {}"), "4:12", "the next line is indented deeper than this one; keys of one map begin in one column"],
  [
    "a line not deep enough",
    "project: shop\nservices:\n    web:\n      build: node\n   api: {}\n",
    "5:4",
    "this is not YAML: all mapping items must start at the same column",
  ],
  ["an unknown anchor", web("env: *base"), "5:10", "there is no anchor &base"],
  ["an anchor in itself", web("env: &a [*a]"), "5:13", "anchors unfold to too many values"],
  ["an own tag", web("start: !run x"), "5:17", "the tag !run is not known here"],
  ["a list as a key", web("? [a]", ": 1"), "5:7", "a key must be plain text"],
  ["bytes", web("start: !!binary aGk="), "5:21", "only text, numbers, true and false may stand here"],
  ["a zero byte", web('env: { A: "\\0" }'), "5:15", "a zero byte cannot stand in a value"],
  ["a merge of text", web("env: { <<: x }"), "5:16", "`<<` takes a map"],
  ["no project", "services: { web: { build: node } }\n", "1:1", 'the file has no "project"'],
  ["no services", "project: shop\n", "1:1", 'the file has no "services"'],
  ["services without any", "project: shop\nservices: {}\n", "2:1", "services must not be empty"],
  ["services left empty", "project: shop\nservices:\n", "2:1", "services must be a map of keys, not empty"],
  ["a service left empty", "project: shop\nservices:\n  web:\n", "3:3", "services.web must be a map of keys, not empty"],
  [
    "an upper-case project",
    web().replace("shop", "Shop"),
    "1:10",
    `project is "Shop", which is not a project name ${NAME}; write it like \`shop\`, \`my-app\``,
  ],
  [
    "a service with a dot",
    web().replace("web:", "w.b:"),
    "3:3",
    `"w.b" in services is not a service name ${NAME}; write it like \`web\`, \`my-data\``,
  ],
  ["a typo in a key", web("replica: 3"), "5:5", 'unknown key "replica" in services.web; did you mean "replicas"?'],
  ["a typo at the top", `${web()}\nenviroments: {}`, "5:1", 'unknown key "enviroments"; did you mean "environments"?'],
  ["a key of nothing", web("health: { x: 1 }"), "5:15", 'unknown key "x" in services.web.health; the keys here are path, timeout'],
  [
    "an unknown builder",
    bare("build: nodee"),
    "4:12",
    'no build plugin is named "nodee"; did you mean "node"? (installed: node, static, both)',
  ],
  [
    "a builder as runtime",
    web("runtime: static"),
    "5:14",
    'the plugin "static" fills build, not runtime (installed: process, docker, both)',
  ],
  ["an unknown delivery", web("delivery: nginx"), "5:15", 'no delivery plugin is named "nginx" (installed: router)'],
  [
    "no builder",
    bare("start: node ."),
    "3:3",
    "services.web has no build, and none was detected; write `build: node`, `build: static` or `build: dockerfile`",
  ],
  ["a start list", web("start: [node, x]"), "5:12", "services.web.start must be a command, not a list"],
  ["an empty start", web('start: " "'), "5:12", 'services.web.start is " ", which is not a command; write it like `node server.js`'],
  [
    "a start for a shell",
    web("start: npm ci && node ."),
    "5:12",
    'services.web.start: the command `npm ci && node .` has "&&" at character 8, which only a shell understands; put it into a script file and write `sh start.sh`',
  ],
  [
    "a task for a shell",
    web("tasks: { seed: node $FILE }"),
    "5:20",
    'services.web.tasks.seed: the command `node $FILE` has "$" at character 6, which only a shell understands; put it into a script file and write `sh start.sh`',
  ],
  ["an empty variable", web("env: { A: }"), "5:12", "services.web.env.A must be text or a number or true or false, not empty"],
  [
    "a map as variable",
    web("env: { A: { b: c } }"),
    "5:15",
    "services.web.env.A must be text or a number or true or false, not a map of keys",
  ],
  ["a variable name", web("env: { 1A: x }"), "5:12", '"1A" in services.web.env is not a variable name; write it like `GREETING`'],
  ["PORT", web("env: { PORT: 80 }"), "5:12", "PORT is set by HelixStack itself; choose another name"],
  ["HELIX_", web("secrets: [HELIX_X]"), "5:15", "HELIX_X is set by HelixStack itself; choose another name"],
  [
    "a secret's use",
    web("secrets: [{ name: A, as: envv }]"),
    "5:30",
    'services.web.secrets.0.as must be env or file or build, not "envv"; did you mean "env"?',
  ],
  ["a secret without name", web("secrets: [{ as: env }]"), "5:15", 'services.web.secrets.0 has no "name"'],
  [
    "a secret name",
    web("secrets: [a-b]"),
    "5:15",
    'services.web.secrets.0 is "a-b", which is not a secret name; write it like `DATABASE_PASSWORD`',
  ],
  ["a secret number", web("secrets: [1]"), "5:15", "services.web.secrets.0 must be a secret name or a map of keys, not 1"],
  ["a secret twice", web("secrets: [A, { name: A }]"), "5:18", "services.web lists the secret A twice"],
  ["a secret in env too", web("env: { A: x }", "secrets: [A]"), "6:15", "A stands in env and in secrets of services.web; remove one"],
  ["more memory than there is", web("resources: { memory: 10000000Gi }"), "5:26", "services.web.resources.memory must be at most 64Ti"],
  [
    "a health path that names another host",
    web("health: { path: //169.254.169.254/latest }"),
    "5:21",
    'services.web.health.path is "//169.254.169.254/latest", which is not a path that begins with one /; write it like `/health`',
  ],
  [
    "a health path",
    web("health: { path: health }"),
    "5:21",
    'services.web.health.path is "health", which is not a path that begins with one /; write it like `/health`',
  ],
  ["a duration", web("drain: 30"), "5:12", "services.web.drain must be a duration, not 30"],
  [
    "a duration's unit",
    web("drain: 30 sec"),
    "5:12",
    'services.web.drain is "30 sec", which is not a duration; write it like `60s`, `10m`, `500ms`',
  ],
  ["no time at all", web("health: { timeout: 0s }"), "5:24", "services.web.health.timeout must be more than 0s"],
  ["too long", `${web()}\nrollback: { for: 400d }`, "5:18", "rollback.for must be at most 7d"],
  [
    "a size",
    web("resources: { memory: 256MB }"),
    "5:26",
    'services.web.resources.memory is "256MB", which is not a size; write it like `256Mi`, `1Gi`, `512M`',
  ],
  [
    "a size in bytes",
    web('resources: { memory: "256" }'),
    "5:26",
    "services.web.resources.memory is less than 1Mi; a size without a unit is in bytes",
  ],
  ["no processor", web("resources: { cpu: 0 }"), "5:23", "services.web.resources.cpu must be more than 0"],
  ["no replicas", web("replicas: 0"), "5:15", "services.web.replicas must be at least 1"],
  ["too many replicas", web("replicas: 101"), "5:15", "services.web.replicas must be at most 100"],
  ["replicas as text", web("replicas: two"), "5:15", 'services.web.replicas must be a whole number, not "two"'],
  ["needs nobody", web("needs: [wob]"), "5:13", 'services.web needs "wob", which is no service here'],
  ["needs itself", web("needs: [web]"), "5:13", "services.web cannot need itself"],
  ["needs twice", `${web("needs: [api, api]")}\n  api: { build: node }`, "5:12", "services.web.needs names the same thing twice"],
  [
    "needs a typo",
    `${web("needs: [wroker]")}\n  worker: { build: node }`,
    "5:13",
    'services.web needs "wroker", which is no service here; did you mean "worker"?',
  ],
  [
    "a volume's path",
    web("volumes: { data: data }"),
    "5:22",
    'services.web.volumes.data is "data", which is not an absolute path; write it like `/data`',
  ],
  ["a volume without path", web("volumes: { data: { writers: many } }"), "5:16", 'services.web.volumes.data has no "path"'],
  [
    "a volume list",
    web("volumes: { data: [] }"),
    "5:22",
    "services.web.volumes.data must be an absolute path or a map of keys, not a list",
  ],
  ["one path twice", web("volumes: { a: /data, b: /data }"), "5:26", 'services.web.volumes.b has the same path as the volume "a"'],
  ["a path that climbs", web("volumes: { a: /x/../etc }"), "5:16", "services.web.volumes.a must not have .. in its path"],
  [
    "many of one writer",
    web("replicas: 2", "volumes: { a: /data }"),
    "6:16",
    "services.web.volumes.a has one writer, but replicas are more; write `{ path: /data, writers: many }` or `replicas: 1`",
  ],
  [
    "a file system",
    web("filesystem: readonly"),
    "5:17",
    'services.web.filesystem must be writable or read-only, not "readonly"; did you mean "read-only"?',
  ],
  ["a source above", web("source: ../other"), "5:13", "services.web.source leaves the folder of this file; move helix.yaml up instead"],
  ["a source elsewhere", web("source: /etc"), "5:13", "services.web.source must be relative to the folder of this file"],
  ["a backslash", web("source: a\\b"), "5:13", "services.web.source is written with \\; write / between folders"],
  ["our labels", web("labels: { helix.unit: x }"), "5:15", 'labels that begin with "helix." are HelixStack\'s own'],
  ["a plugin's key", bare("build: static", "static: { dri: x }"), "5:15", 'unknown key "dri" in services.web.static; did you mean "dir"?'],
  [
    "a plugin's inner key",
    web("docker: { network: { nam: x, name: y } }"),
    "5:26",
    'unknown key "nam" in services.web.docker.network; did you mean "name"?',
  ],
  ["a plugin's name", web("dockr: {}"), "5:5", 'unknown key "dockr" in services.web; did you mean "docker"?'],
  ["a section of nothing", web("process: { x: 1 }"), "5:16", 'unknown key "x" in services.web.process; it takes no keys'],
  ["a plugin's type", bare("build: static", "static: { dir: 1 }"), "5:20", "services.web.static.dir must be text, not 1"],
  ["a plugin's need", bare("build: both", "both: {}"), "5:5", 'services.web.both has no "flags"'],
  [
    "maturity",
    `${web()}\nguardrails: { maturity: prod }`,
    "5:25",
    'guardrails.maturity must be poc or mvp or staging or production, not "prod"',
  ],
  [
    "an environment's name",
    `${web()}\nenvironments: { Prod uction: {} }`,
    "5:17",
    '"Prod uction" in environments is not the name of an environment; write it like `production`, `preview/my-branch`',
  ],
  [
    "a service to override",
    `${web()}\nenvironments: { staging: { services: { wbe: {} } } }`,
    "5:40",
    'environments.staging.services.wbe overrides a service that is not in services; did you mean "web"?',
  ],
  [
    "an override elsewhere",
    `${web()}\nenvironments: { staging: { services: { web: { drain: 5 } } } }`,
    "5:54",
    "environments.staging.services.web.drain must be a duration, not 5",
  ],
  [
    "a path taken away",
    `${web("volumes: { a: { path: /a } }")}\nenvironments: { production: { services: { web: { volumes: { a: { path: null } } } } } }`,
    "5:16",
    'services.web: volumes.a has no "path"',
  ],
  [
    "everything taken away",
    `${web()}\nenvironments: { production: { services: { web: null } } }`,
    "3:3",
    "no service is left in production: its overrides remove all",
  ],
];

describe("a bad manifest", () => {
  it.each(TABLE)("%s", (_, text, place, message) => {
    const error = failure(text);
    expect(error.code).toBe("MANIFEST_INVALID");
    const problems = error.options.details!["problems"] as { line: number; column: number; message: string; file: string }[];
    expect(problems.map((problem) => `${problem.line}:${problem.column} ${problem.message}`)).toContain(`${place} ${message}`);
    if (problems.length === 1) expect(error.message.split("\n")[0]).toBe(`helix.yaml:${place}: ${message}`);
  });

  it("has as many rows as it takes to say that the table is about the format", () => expect(TABLE.length).toBeGreaterThanOrEqual(40));

  it("shows a code frame with the place underlined", () => {
    expect(failure(web("replica: 3")).message).toBe(
      ['helix.yaml:5:5: unknown key "replica" in services.web; did you mean "replicas"?', "  5 |     replica: 3", "    |     ^^^^^^^"].join(
        "\n",
      ),
    );
  });

  it("reports every problem, in order, and shows the first five", () => {
    const error = failure(web("replica: 3", "drain: 5", "startt: x", "filesystem: ro", "needs: [a, b]", "env: { PORT: 1 }"));
    const problems = error.options.details!["problems"] as { line: number; path: string; code: string }[];
    expect(problems.map(({ line }) => line)).toEqual([5, 6, 7, 8, 9, 9, 10]);
    expect(problems[0]).toMatchObject({ path: "services.web.replica", code: "MANIFEST_INVALID" });
    expect(error.message.match(/^helix\.yaml:/gm)).toHaveLength(5);
    expect(error.message).toMatch(/and 2 more problems$/);
  });

  it("marks an unknown plugin with a code of its own", () => {
    const problems = failure(web("runtime: dokcer")).options.details!["problems"] as { code: string }[];
    expect(problems.map(({ code }) => code)).toEqual(["PLUGIN_UNKNOWN"]);
  });

  it("refuses anchors that unfold to a bomb in little time", () => {
    const levels = Array.from({ length: 9 }, (_, i) => `x-${i + 1}: &l${i + 1} [${Array(9).fill(`*l${i}`).join(", ")}]`);
    // The time of this process alone: others may keep the machine busy.
    const began = process.cpuUsage();
    expect(failure(`x-0: &l0 [1, 2, 3]\n${levels.join("\n")}\n${web()}`).message).toContain("anchors unfold to too many values");
    expect(process.cpuUsage(began).user / 1000).toBeLessThan(1000);
  });

  it("refuses a file that is no manifest by its size", () => {
    expect(failure(`# ${"x".repeat(1 << 20)}\n${web()}`).message).toContain("the most is 1048576");
  });

  it("counts columns in files with CRLF and keeps the caret below a tab", () => {
    expect(failure(web("replica: 3").replaceAll("\n", "\r\n")).message).toContain("helix.yaml:5:5");
    expect(failure(web("labels: {\ta: [] }")).message).toContain("    |              \t   ^^");
  });

  it.each(["Production", "a b", "preview/../x", "", "x/"])("refuses the environment %j", (environment) => {
    expect(failure(web(), environment)).toMatchObject({ code: "USAGE" });
  });
});
