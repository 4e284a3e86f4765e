import { describeDelivery } from "../../../test/delivery/behaviour.ts";
import { makeWorld } from "./world.ts";

describeDelivery(() => makeWorld({ limits: { held: 5 } }));
