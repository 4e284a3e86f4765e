import type { FastifyBaseLogger, FastifyInstance, FastifyRequest, RawServerDefault } from "fastify";
import type { TypeBoxTypeProvider } from "@fastify/type-provider-typebox";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Principal, Scope } from "../ports/index.ts";
import type { Streams } from "./streams/streams.ts";

/** The server, typed by the schemas of its routes. */
export type Api = FastifyInstance<RawServerDefault, IncomingMessage, ServerResponse, FastifyBaseLogger, TypeBoxTypeProvider>;

/** Who asks, as the token says. */
export interface Caller {
  readonly scope: Scope;
  readonly principal: Principal;
  /** The one project that the token is bound to; null for one of the whole organization. */
  readonly project: string | null;
}

declare module "fastify" {
  interface FastifyRequest {
    /** Set for every route that is not open. */
    caller: Caller | null;
  }
  interface FastifyInstance {
    streams: Streams;
  }
  interface FastifyContextConfig {
    /** Answers without a token: health, and nothing else. */
    open?: boolean;
  }
}

/** The scope of a request that has passed the authentication hook. */
export function scopeOf(request: Pick<FastifyRequest, "caller">): Scope {
  return request.caller!.scope;
}
