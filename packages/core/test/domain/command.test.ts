import { expect, test } from "vitest";
import { splitCommand } from "../../src/domain/command.ts";

test("words, quotes and variables before the program", () => {
  expect(splitCommand(`NODE_ENV=production node "my file.js" --name='a b' '$HOME' a=b`, "start")).toEqual({
    argv: ["node", "my file.js", "--name=a b", "$HOME", "a=b"],
    env: { NODE_ENV: "production" },
  });
});

test.each(["a && b", "a | b", "a > b", "echo $HOME", "a; b", "ls *.js", "a # b", "a $(b)", "a &"])(
  "what only a shell can do is refused: %s",
  (text) => {
    expect(() => splitCommand(text, "services.web.start")).toThrow(/services\.web\.start is no plain command: .+ needs a shell/);
  },
);

test("nothing is no command", () => {
  expect(() => splitCommand("  ", "start")).toThrow("names no program");
  expect(() => splitCommand("A=b", "start")).toThrow("names no program");
});
