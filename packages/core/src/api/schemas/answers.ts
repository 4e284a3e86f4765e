import { type TSchema, Type } from "typebox";
import { ref } from "./common.ts";

const PROBLEM = { content: { "application/problem+json": { schema: ref("Problem") } } };

/** The answers of a route: its own, and the problem that any route may answer with. */
export function answers(status: number, schema: TSchema, description = "Success."): Record<string, object> {
  return { [status]: { description, content: { "application/json": { schema } } }, ...problems() };
}

/** An answer without content. */
export function emptyAnswer(status: number, description: string): Record<string, object> {
  return { [status]: { description, content: { "application/json": { schema: Type.Null() } } }, ...problems() };
}

/** The answers of a route that streams. */
export function streamAnswers(description: string): Record<string, object> {
  const text = { schema: Type.String() };
  return { 200: { description, content: { "text/event-stream": text, "application/x-ndjson": text } }, ...problems() };
}

/** The answers with which every route may refuse or fail. */
export function problems(): Record<string, object> {
  return {
    "4xx": { description: "The request cannot be carried out.", ...PROBLEM },
    "5xx": { description: "The server failed.", ...PROBLEM },
  };
}
