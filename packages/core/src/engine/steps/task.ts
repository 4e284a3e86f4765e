import type { RunResult } from "@helixstack/sdk";
import { splitCommand } from "../../domain/command.ts";
import { EngineError } from "../../domain/errors.ts";
import { askRevision, newRevision } from "../revisions.ts";
import { act, manifestOf, servicePlan } from "../run.ts";
import type { StepWork } from "./step.ts";

/** Runs one command of the new revision to its end, before the revision itself starts. At most once a deployment. */
export const taskStep: StepWork = async (run, step) => {
  const { service } = servicePlan(run, step.service);
  const task = step.task!;
  const command = splitCommand(manifestOf(run).services[service]!.tasks[task]!, `services.${service}.tasks.${task}`);
  const { revision, write } = await newRevision(run, service);
  const isThere = (await run.deps.ledger.revision(run.grip.scope, revision.id)) !== null;
  const spec = { ...revision.spec, env: { ...revision.spec.env, ...command.env } };
  const { exitCode, logs } = await act<RunResult>(run, step, {
    ...askRevision(run.place, revision, { verb: "run" }),
    input: { spec, name: task, command: command.argv },
    writes: isThere ? [] : [write],
  });
  if (exitCode === 0) return { outcome: { exitCode } };
  throw new EngineError("TASK_FAILED", `task ${task} of ${service} ended with exit code ${exitCode}`, { logs, details: { exitCode } });
};
