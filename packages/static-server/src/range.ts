/** The bytes to send, both ends included. */
export interface ByteRange {
  readonly start: number;
  readonly end: number;
}

/**
 * Reads a `Range` header. Null: send the whole file, as RFC 9110 allows for several ranges, other units and nonsense.
 * `"unsatisfiable"`: nothing of the file is asked for.
 */
export function readRange(header: string | undefined, size: number): ByteRange | "unsatisfiable" | null {
  const match = /^bytes=\s*(\d*)\s*-\s*(\d*)\s*$/i.exec(header ?? "");
  if (match === null) return null;
  const [first, last] = [match[1]!, match[2]!];
  if (first === "" && last === "") return null;
  if (first === "") return satisfied({ start: Math.max(0, size - Number(last)), end: size - 1 }, size);
  if (last !== "" && Number(last) < Number(first)) return null;
  return satisfied({ start: Number(first), end: last === "" ? size - 1 : Math.min(Number(last), size - 1) }, size);
}

function satisfied(range: ByteRange, size: number): ByteRange | "unsatisfiable" {
  return range.start < size && range.start <= range.end ? range : "unsatisfiable";
}
