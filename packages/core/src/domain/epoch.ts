/** Fences and generations of the time that a restore lost are not known: each epoch begins above any that can have been. */
export const EPOCH_STEP = 1_000_000_000;

/** What counters of an epoch begin above. */
export function epochFloor(epoch: number): number {
  return (epoch - 1) * EPOCH_STEP;
}
