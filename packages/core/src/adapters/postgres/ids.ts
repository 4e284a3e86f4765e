import { newId, type IdPrefix } from "../../domain/ids.ts";

/** Makes ids that sort in the order in which this process made them, also within one millisecond: lists are read by id. */
export type MakeId = (prefix: IdPrefix) => string;

export function idMaker(now: () => number = Date.now): MakeId {
  let last = 0;
  return (prefix) => {
    last = Math.max(last + 1, now());
    return newId(prefix, last);
  };
}
