/** Names one process for good: a pid comes again, together with the start time it does not. */
export interface ProcessIdentity {
  readonly pid: number;
  /** Start time in clock ticks since boot. */
  readonly startTicks: string;
}

/** Looks at processes of this machine. */
export interface ProcessProbe {
  /** Identifies the machine. */
  machine(): string;
  /** Identifies its boot: pids of another boot name nothing here. */
  boot(): string;
  isAlive(process: ProcessIdentity): boolean;
  /** Ends it with SIGKILL, it and whatever it started. Gone already is success. */
  kill(process: ProcessIdentity): void;
}
