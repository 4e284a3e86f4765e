import type { PluginManifest } from "@helixstack/sdk";
import type { Manifest, Maturity, SecretUse, Service, VolumeUse } from "../domain/manifest.ts";
import { fillerOf } from "./checker.ts";
import { sectionSchemas } from "./plugin-sections.ts";
import { type Tree, entriesOf, nodeAt, textOf, toValue } from "./tree.ts";
import { parseDuration, parseSize } from "./units.ts";

/** What a manifest need not say. */
export const DEFAULTS = {
  source: ".",
  runtime: "process",
  delivery: "router",
  healthTimeoutMs: 60_000,
  drainMs: 30_000,
  replicas: 1,
  maturity: "mvp",
  rollbackKeep: 1,
  rollbackForMs: 600_000,
} as const;

/** The manifest of a file and its merged services, both free of problems. */
export function resolveManifest(file: Tree, { services, plugins }: { services: Tree; plugins: readonly PluginManifest[] }): Manifest {
  const sections = new Map(Object.entries(sectionSchemas(plugins)).map(([name, schema]) => [name, fillerOf(schema)]));
  const images = new Set(
    plugins.filter(({ planes }) => planes.build?.produces.every((kind) => kind === "oci-image")).map(({ name }) => name),
  );
  const resolved = entriesOf(services).map(([name, { node }]) => [name, resolveService(node, { sections, images })] as const);
  return {
    project: textOf(nodeAt(file, "project"))!,
    services: Object.fromEntries(resolved),
    guardrails: { maturity: (textOf(nodeAt(file, "guardrails", "maturity")) ?? DEFAULTS.maturity) as Maturity },
    rollback: {
      keep: numberOf(nodeAt(file, "rollback", "keep")) ?? DEFAULTS.rollbackKeep,
      forMs: durationOf(nodeAt(file, "rollback", "for")) ?? DEFAULTS.rollbackForMs,
    },
  };
}

interface Known {
  readonly sections: Fillers;
  /** Builders that make images. */
  readonly images: ReadonlySet<string>;
}

type Fillers = ReadonlyMap<string, (value: Readonly<Record<string, unknown>>) => Record<string, unknown>>;

function resolveService(node: Tree, { sections, images }: Known): Service {
  const build = textOf(nodeAt(node, "build"))!;
  const runtime = textOf(nodeAt(node, "runtime")) ?? DEFAULTS.runtime;
  return {
    source: normalized(textOf(nodeAt(node, "source")) ?? DEFAULTS.source),
    build,
    runtime,
    delivery: textOf(nodeAt(node, "delivery")) ?? DEFAULTS.delivery,
    start: textOf(nodeAt(node, "start"))?.trim() ?? null,
    env: stringsOf(nodeAt(node, "env")),
    // What is in the environment of an image, whoever may ask its engine sees; so it is in a file unless the manifest asks.
    secrets: secretsOf(nodeAt(node, "secrets"), images.has(build) ? "file" : "env"),
    health: {
      path: textOf(nodeAt(node, "health", "path")) ?? null,
      timeoutMs: durationOf(nodeAt(node, "health", "timeout")) ?? DEFAULTS.healthTimeoutMs,
    },
    needs: listOf(nodeAt(node, "needs")).map((item) => textOf(item)!),
    volumes: Object.fromEntries(entriesOf(nodeAt(node, "volumes")).map(([name, entry]) => [name, volumeOf(entry.node)])),
    filesystem: (textOf(nodeAt(node, "filesystem")) ?? "writable") as Service["filesystem"],
    tasks: stringsOf(nodeAt(node, "tasks")),
    replicas: numberOf(nodeAt(node, "replicas")) ?? DEFAULTS.replicas,
    resources: {
      memoryBytes: parseSize(textOf(nodeAt(node, "resources", "memory")) ?? ""),
      cpu: numberOf(nodeAt(node, "resources", "cpu")) ?? null,
    },
    labels: stringsOf(nodeAt(node, "labels")),
    drainMs: durationOf(nodeAt(node, "drain")) ?? DEFAULTS.drainMs,
    options: optionsOf(node, { used: [build, runtime], sections }),
  };
}

/** Only the sections of the plugins that the service uses: another plugin's options change nothing here. Empty ones say nothing. */
function optionsOf(node: Tree, { used, sections }: { used: readonly string[]; sections: Fillers }): Service["options"] {
  const options = [...new Set(used)].flatMap((name) => {
    const section = nodeAt(node, name);
    const filled = sections.get(name)?.(section ? (toValue(section) as Record<string, unknown>) : {}) ?? {};
    return Object.keys(filled).length > 0 ? [[name, filled] as const] : [];
  });
  return Object.fromEntries(options);
}

function secretsOf(list: Tree | undefined, unsaid: SecretUse["as"]): readonly SecretUse[] {
  return listOf(list).map((item) => ({
    name: textOf(item) ?? textOf(nodeAt(item, "name"))!,
    as: (textOf(nodeAt(item, "as")) ?? unsaid) as SecretUse["as"],
  }));
}

function volumeOf(node: Tree): VolumeUse {
  return {
    path: textOf(node) ?? textOf(nodeAt(node, "path"))!,
    writers: (textOf(nodeAt(node, "writers")) ?? "single") as VolumeUse["writers"],
  };
}

/** Values as they are written: `1.10` stays `1.10`, `true` is `true`. */
function stringsOf(map: Tree | undefined): Readonly<Record<string, string>> {
  const strings = entriesOf(map).map(([key, { node }]) => [key, textOf(node) ?? (node.kind === "scalar" ? node.source : "")] as const);
  return Object.fromEntries(strings);
}

/** `./site/` is `site`; the manifest's own folder is `.`. */
function normalized(source: string): string {
  const parts = source.split("/").filter((part) => part !== "" && part !== ".");
  return parts.length === 0 ? "." : parts.join("/");
}

function durationOf(node: Tree | undefined): number | null {
  return parseDuration(textOf(node) ?? "");
}

function numberOf(node: Tree | undefined): number | null {
  return node?.kind === "scalar" && typeof node.value === "number" ? node.value : null;
}

function listOf(node: Tree | undefined): readonly Tree[] {
  return node?.kind === "list" ? node.items : [];
}
