import { expect, test } from "vitest";
import { splitCommand } from "../../src/domain/command.ts";

// The grammar has its tests in the SDK; here it is shown that there is only that one.

test("words, quotes and variables before the program", () => {
  expect(splitCommand(`NODE_ENV=production node "my file.js" --name='a b' '$HOME' a=b`, "start")).toEqual({
    argv: ["node", "my file.js", "--name=a b", "$HOME", "a=b"],
    env: { NODE_ENV: "production" },
  });
});

test.each(["a && b", "cd app", "echo $HOME", "ls *.js", "node 'a", "'' a", "  ", "A=b"])(
  "what the grammar refuses is an error of the manifest that names its place: %j",
  (text) => {
    const options = expect.objectContaining({ hint: expect.stringContaining("script file") as string });
    expect(() => splitCommand(text, "services.web.start")).toThrow(expect.objectContaining({ code: "MANIFEST_INVALID", options }));
    expect(() => splitCommand(text, "services.web.start")).toThrow(/^services\.web\.start: the command `/);
  },
);
