import { STATUS_CODES } from "node:http";
import type { FastifyError, FastifyReply, FastifyRequest } from "fastify";
import { EngineError, type ErrorDocument, errorRow, toEngineError } from "../domain/errors.ts";

/** An error as RFC 9457 has it, with the fields of {@link ErrorDocument} beside. */
export interface Problem extends ErrorDocument {
  /** Where the code is explained. */
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  /** The request: method and path. */
  readonly instance: string;
  readonly requestId: string;
  readonly retryable: boolean;
}

export const PROBLEM_TYPE = "application/problem+json";

/** Answers any thrown value. What is a bug is logged whole and answered short. */
export function sendProblem(thrown: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const { error, status } = readThrown(thrown);
  if (status >= 500) request.log.error({ err: error.options.cause ?? error, code: error.code }, "the request failed");
  if (status === 401) reply.header("www-authenticate", "Bearer");
  if (error.retryable) reply.header("retry-after", "1");
  return reply.code(status).type(PROBLEM_TYPE).send(problemOf(error, { status, request }));
}

/** The document of an error. */
export function problemOf(error: EngineError, { status, request }: { readonly status: number; readonly request: FastifyRequest }): Problem {
  const document = error.toDocument();
  return {
    type: `/v1/errors/${error.code}`,
    title: errorRow(error.code).sentence,
    status,
    detail: document.message,
    instance: `${request.method} ${request.url.split("?")[0]}`,
    requestId: request.id,
    retryable: error.retryable,
    ...document,
  };
}

/** Any thrown value as the error that it stands for, with its HTTP status. */
export function readThrown(thrown: unknown): { readonly error: EngineError; readonly status: number } {
  if (isFastifyError(thrown)) return readFastifyError(thrown);
  const error = toEngineError(thrown);
  // A database's or a library's own words may hold what is nobody's business.
  const shown =
    error.code === "BUG" ? new EngineError("BUG", "the request failed in a way that was not foreseen", { cause: thrown }) : error;
  return { error: shown, status: errorRow(error.code).status };
}

function readFastifyError(thrown: FastifyError): { error: EngineError; status: number } {
  const status = thrown.statusCode ?? 500;
  if (status === 413) return { error: new EngineError("SOURCE_TOO_LARGE", "the request's body is larger than this route takes"), status };
  if (status < 500) return { error: new EngineError("USAGE", thrown.message || (STATUS_CODES[status] ?? "bad request")), status };
  return { error: new EngineError("BUG", "the request failed in a way that was not foreseen", { cause: thrown }), status: 500 };
}

function isFastifyError(thrown: unknown): thrown is FastifyError {
  return thrown instanceof Error && "statusCode" in thrown && !(thrown instanceof EngineError);
}
