import picocolors from "picocolors";

export type Colors = ReturnType<typeof picocolors.createColors>;

/** What is asked of a stream before it gets colours or moving lines. */
export interface StreamTraits {
  readonly isTTY: boolean;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly noColor: boolean;
}

/** Colours only where a person looks: a terminal that can show them and nobody who asked for none. */
export function colorsFor(traits: StreamTraits): Colors {
  const { isTTY, env, noColor } = traits;
  return picocolors.createColors(isTTY && !noColor && !env["NO_COLOR"] && env["TERM"] !== "dumb" && !isSet(env["CI"]));
}

/** Whether lines may be drawn over: a real terminal, and no build server that only looks like one. */
export function canRedraw({ isTTY, env }: StreamTraits): boolean {
  return isTTY && env["TERM"] !== "dumb" && !isSet(env["CI"]);
}

const PLANE_COLORS: Readonly<Record<string, "blue" | "green" | "magenta">> = { build: "blue", runtime: "green", delivery: "magenta" };

/** The colour of a plane, the same in all output. */
export function planeColor(colors: Colors, plane: string | null): (text: string) => string {
  const name = plane === null ? undefined : PLANE_COLORS[plane];
  return name ? colors[name] : (text) => text;
}

function isSet(value: string | undefined): boolean {
  return value !== undefined && value !== "" && value !== "0" && value !== "false";
}
