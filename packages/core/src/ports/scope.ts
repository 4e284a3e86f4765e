/** On whose behalf something is read or written. Every ledger method takes one; no row is reached outside of its organization. */
export interface Scope {
  readonly organization: string;
  /** Id of the principal that every write records. */
  readonly principal: string;
}
