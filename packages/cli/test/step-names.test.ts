import { STEP_KINDS } from "@helixstack/core/client";
import { expect, it } from "vitest";
import { stepName } from "../src/deployment/step-names.ts";

it("every kind of step has a name of its own, what is taken back says so", () => {
  const titles = STEP_KINDS.map((kind) => stepName({ id: kind, kind, service: null }).title);
  expect(new Set(titles).size).toBe(STEP_KINDS.length);
  expect(stepName({ id: "build:web", kind: "build", service: "web" })).toEqual({ title: "build web", plane: "build" });
  expect(stepName({ id: "task:web:migrate", kind: "task", service: "web" })).toEqual({ title: "task web migrate", plane: "runtime" });
  expect(stepName({ id: "undo:apply:web", kind: "apply", service: "web" }).title).toBe("undo start web");
  expect(stepName({ id: "warp:web", kind: "warp", service: "web" })).toEqual({ title: "warp web", plane: null });
});
