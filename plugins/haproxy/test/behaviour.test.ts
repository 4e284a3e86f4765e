import { describe } from "vitest";
import { describeDelivery } from "../../../test/delivery/behaviour.ts";
import { isHere, makeWorld } from "./world.ts";

describe.skipIf(!isHere)("haproxy: the program is on this machine", () => {
  describeDelivery(() => makeWorld({ limits: { held: 5 } as never }));
});
