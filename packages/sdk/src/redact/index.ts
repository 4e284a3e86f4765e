export { type Redactor, createRedactor } from "./redactor.ts";
export type { RedactingStream } from "./stream.ts";
