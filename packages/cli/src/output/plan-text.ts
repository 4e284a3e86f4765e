import type { ServiceChange } from "@helixstack/core/client";
import type { Colors } from "./colors.ts";
import { columns } from "./table.ts";

const SIGNS = { create: "+", update: "~", replace: "-/+", delete: "-" } as const;
const WORDS = { create: "to create", update: "to update", replace: "to replace", delete: "to delete" } as const;

/** A plan for a person: one line a change, grouped by service, and a summary. */
export function planText({ changes }: { readonly changes: readonly ServiceChange[] }, colors: Colors): string {
  if (changes.length === 0) return "No changes.";
  const services = [...new Set(changes.map(({ service }) => service))];
  const groups = services.map((service) => {
    const own = changes.filter((change) => change.service === service);
    return [colors.bold(service === "" ? "project" : service), ...own.flatMap((change) => lines(change, colors))].join("\n");
  });
  return [...groups, summary(changes)].join("\n\n");
}

/** A service that is new shows each of its settings. */
function lines(change: ServiceChange, colors: Colors): readonly string[] {
  const { action, path, to } = change;
  if (action !== "create" || path !== "" || typeof to !== "object" || to === null) return [line(change, colors)];
  const settings = Object.entries(to).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return [line({ ...change, to: null }, colors), ...columns(settings.map(([key, value]) => [`        ${key}`, shown(value)])).split("\n")];
}

function line({ action, path, from, to }: ServiceChange, colors: Colors): string {
  const sign = paint(action, colors)(SIGNS[action].padStart(3));
  return `  ${sign} ${[path || action, values({ action, from, to }, colors)].filter(Boolean).join("  ")}`;
}

function values({ action, from, to }: Pick<ServiceChange, "action" | "from" | "to">, colors: Colors): string {
  if (action === "create") return shown(to);
  if (action === "delete") return shown(from);
  if (from === to) return "";
  return `${shown(from) || "nothing"} ${colors.dim("→")} ${shown(to) || "nothing"}`;
}

function shown(value: unknown): string {
  if (value === null || value === undefined) return "";
  return typeof value === "string" ? value : JSON.stringify(value);
}

function paint(action: ServiceChange["action"], colors: Colors): (text: string) => string {
  if (action === "create") return colors.green;
  return action === "delete" ? colors.red : colors.yellow;
}

function summary(changes: readonly ServiceChange[]): string {
  const counts = (Object.keys(WORDS) as (keyof typeof WORDS)[]).map((action) => {
    const count = changes.filter((change) => change.action === action).length;
    return count === 0 ? null : `${count} ${WORDS[action]}`;
  });
  return `${counts.filter(Boolean).join(", ")}.`;
}
