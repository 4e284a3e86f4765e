import { randomBytes } from "node:crypto";
import { createRedactor } from "@helixstack/sdk/redact";
import type { Figure } from "./frame/figure.ts";
import { alone, interleave, median } from "./frame/measure.ts";

const LINE = '2026-01-05T10:00:00.123Z info GET /v1/orders?id=48213&page=2 200 12 ms user=ann@example.com {"items":[1,2,3],"next":null}\n';
const MEGABYTES = 16;
const CHUNK = 16 * 1024;
const COUNTS = [0, 1, 5, 20, 100];

/** How fast text is masked, by the number of secrets that are looked for. */
export const figure: Figure = {
  title: "Masking of secrets",
  goal: "none; the rate says what logs may cost.",
  rounds: 3,
  run: async ({ rounds, note }) => {
    note(`${MEGABYTES} MB in chunks of 16 KiB, a secret every 10,000 characters`);
    const rates = await interleave(rounds, Object.fromEntries(COUNTS.map((count) => [count, async () => rate(...prepared(count))])));
    return COUNTS.map((count) => {
      const of = (rates[count] ?? []).flat();
      return alone({ name: `text masked, ${count} secrets`, unit: "MB/s", n: of.length, value: median(of) });
    });
  },
};

function prepared(secrets: number): [ReturnType<typeof createRedactor>, string] {
  const redactor = createRedactor();
  const values = Array.from({ length: secrets }, () => randomBytes(24).toString("base64url"));
  for (const value of values) redactor.add(value);
  return [redactor, textWith(values)];
}

function textWith(values: readonly string[]): string {
  let text = "";
  for (let i = 0; text.length < MEGABYTES * 1e6; i++)
    text += i % 80 === 79 && values.length > 0 ? `token ${values[i % values.length]}\n` : LINE;
  return text;
}

function rate(redactor: ReturnType<typeof createRedactor>, text: string): number {
  const stream = redactor.stream();
  const began = performance.now();
  for (let at = 0; at < text.length; at += CHUNK) stream.push(text.slice(at, at + CHUNK));
  stream.flush();
  return text.length / 1e6 / ((performance.now() - began) / 1000);
}
