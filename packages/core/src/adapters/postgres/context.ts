import type { MakeId } from "./ids.ts";
import type { Listener } from "./listener.ts";
import type { Db } from "./transaction.ts";

/** What the ledger's sections share. */
export interface LedgerContext {
  readonly db: Db;
  readonly makeId: MakeId;
  readonly listener: Listener;
  readonly readOnly: boolean;
}
