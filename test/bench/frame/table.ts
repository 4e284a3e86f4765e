import type { Row } from "./figure.ts";

export const COLUMNS = ["what", "helix", "peer", "ratio", "n", "goal", ""] as const;

/** The cells of a row, in the order of the columns. */
export function cells({ name, helix, peer, against, ratio, unit, n, goal, met }: Row): readonly string[] {
  const peerText = peer === null ? "" : `${number(peer)} ${unit} (${against ?? ""})`;
  const verdict = met === null ? (goal === null ? "" : "not measured") : met ? "met" : "missed";
  return [name, `${number(helix)} ${unit}`, peerText, ratio === null ? "" : number(ratio), String(n), goal ?? "", verdict];
}

/** For a terminal: columns of equal width. */
export function textTable(rows: readonly Row[]): string {
  const lines = [COLUMNS, ...rows.map(cells)];
  const widths = COLUMNS.map((_, column) => Math.max(...lines.map((line) => line[column]!.length)));
  return lines
    .map((line) =>
      line
        .map((cell, column) => cell.padEnd(widths[column]!))
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}

export function markdownTable(rows: readonly Row[]): string {
  const line = (texts: readonly string[]) => `| ${texts.map((text) => text.replaceAll("|", "\\|")).join(" | ")} |`;
  return [line(COLUMNS), `|${COLUMNS.map(() => "---").join("|")}|`, ...rows.map((row) => line(cells(row)))].join("\n");
}

/** Three figures that count; whole numbers as they are. */
export function number(value: number): string {
  if (Number.isInteger(value)) return value.toLocaleString("en-US");
  if (Math.abs(value) >= 100) return Math.round(value).toLocaleString("en-US");
  return String(Number(value.toPrecision(3)));
}
