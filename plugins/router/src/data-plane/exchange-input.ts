import type { IncomingMessage, ServerResponse } from "node:http";
import type { OwnAnswer } from "./answers.ts";

/** What an exchange begins with. */
export interface ExchangeInput {
  readonly req: IncomingMessage;
  readonly res: ServerResponse;
  /** The service port it came in on, or {@link BY_HOST}. */
  readonly port: number;
  readonly expectsContinue: boolean;
  /** Refused already; it only has to wait for its turn. */
  readonly refusal?: OwnAnswer;
}
