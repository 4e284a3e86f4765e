import type { LogFields } from "@helixstack/sdk";

const LONGEST = 16 * 1024;

/** A message with its fields as lines of a log: fields stand behind the message as `name=value`, and a line break makes another line. */
export function logLines(text: string, fields: LogFields | undefined): readonly string[] {
  const pairs = Object.entries(fields ?? {}).map(([name, value]) => `${name}=${plain(value)}`);
  return [text, ...pairs]
    .join(" ")
    .split(/\r?\n/)
    .map((line) => (line.length > LONGEST ? `${line.slice(0, LONGEST)} [cut]` : line));
}

function plain(value: unknown): string {
  const json = JSON.stringify(value) ?? "undefined";
  return typeof value === "string" && /^[^\s"=]+$/.test(value) ? value : json;
}
