import { randomBytes } from "node:crypto";

const WELL_FORMED = /^[A-Za-z0-9._~+/=:@-]{1,128}$/;
const prefix = randomBytes(6).toString("hex");
let counter = 0;

/** The client's id where it is well-formed, else a new one: unique by process and count, so that making one costs nothing. */
export function requestId(given: string | null): string {
  if (given !== null && WELL_FORMED.test(given)) return given;
  counter += 1;
  return `${prefix}-${counter.toString(36)}`;
}
