/** The immutable ids that everything HelixStack creates is tagged with, from the widest to the narrowest. */
export interface Owner {
  readonly installation: string;
  readonly organization: string;
  readonly project: string;
  readonly environment: string;
  /** What one plugin keeps for one service of one environment (or one route table). */
  readonly unit: string;
}

/**
 * Whose thing this is. Names of things in the provider's world derive from it and from nothing else, so that a thing is
 * found again when the state about it was lost.
 */
export interface Identity extends Owner {
  /** The revision of the unit, made by one deployment. Equal to `unit` for a unit without revisions (a route table, a volume). */
  readonly revision: string;
  /** What people call these things today. For readable names only: names change, ids do not. */
  readonly names: {
    readonly project: string;
    readonly environment: string;
    readonly service: string;
  };
}

/** Something in the provider's world that carries an owner tag, whether or not the engine remembers it. */
export interface Owned {
  /** As much of the identity as the tags say; empty where they do not. */
  readonly identity: Pick<Identity, keyof Owner | "revision">;
  /** What it is: `revision`, `volume`, `routes`, or the provider's own word for a helper (`network`). */
  readonly kind: string;
  /** The provider's id of it. */
  readonly id: string;
  /** One line for people: name, age, size. */
  readonly description: string;
}
