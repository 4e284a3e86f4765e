import { describe, expect, it } from "vitest";
import { parseCommand } from "../src/command.ts";

describe("parseCommand", () => {
  it.each<[string, string[], Record<string, string>]>([
    ["node server.js", ["node", "server.js"], {}],
    ["  node\tserver.js \n", ["node", "server.js"], {}],
    ["node 'my app.js' \"second one\"", ["node", "my app.js", "second one"], {}],
    [`node -e 'console.log("a && b > $HOME")'`, ["node", "-e", 'console.log("a && b > $HOME")'], {}],
    [`node "say \\"hi\\" \\$5 \\n"`, ["node", 'say "hi" $5 \\n'], {}],
    ["node my\\ app.js a\\&b", ["node", "my app.js", "a&b"], {}],
    ["node '' \"\"", ["node", "", ""], {}],
    ["node --eval=a'b'\"c\"d", ["node", "--eval=abcd"], {}],
    ["node \\\n server.js", ["node", "server.js"], {}],
    ["NODE_ENV=production node .", ["node", "."], { NODE_ENV: "production" }],
    ["A=1 B='two words' C= node x D=4", ["node", "x", "D=4"], { A: "1", B: "two words", C: "" }],
    ["A=b=c node", ["node"], { A: "b=c" }],
    ["'A=1' node", ["A=1", "node"], {}],
    ["1A=x node", ["1A=x", "node"], {}],
    ["node a#b c~d {x}", ["node", "a#b", "c~d", "{x}"], {}],
  ])("splits %j", (text, argv, env) => {
    expect(parseCommand(text)).toEqual({ argv, env });
  });

  it.each<[string, string]>([
    ["npm run build && node .", '"&&" at character 15'],
    ["node . || true", '"||"'],
    ["node . | tee log", '"|" at character 8'],
    ["node . > log", '">"'],
    ["node . < in", '"<"'],
    ["node . & node b", '"&"'],
    ["a; b", '";" at character 2'],
    ["node $FILE", '"$" at character 6'],
    ['node "$FILE"', '"$" at character 7'],
    ["node `which x`", '"`"'],
    ['node "`which x`"', '"`"'],
    ["node *.js", '"*"'],
    ["node a?.js", '"?"'],
    ["node [ab].js", '"["'],
    ["(node a)", '"("'],
    ["node ~/app.js", '"~"'],
    ["node a # why", '"#"'],
    ["node a\nnode b", "a line break"],
  ])("refuses what only a shell understands: %j", (text, place) => {
    const refused = expect.objectContaining({ code: "INVALID_SPEC", hint: expect.stringContaining("sh start.sh") });
    expect(() => parseCommand(text)).toThrow(refused);
    expect(() => parseCommand(text)).toThrow(place);
  });

  it.each<[string, string]>([
    ["", "no program"],
    ["   ", "no program"],
    ["A=1", "no program"],
    ["node 'a", "never closed"],
    ['node "a', "never closed"],
    ["node a\\", "ends with a backslash"],
    ["node \0", "NUL"],
    ["'' a", "empty word"],
    ["cd app", "word of the shell"],
    ["export A=1", "word of the shell"],
  ])("refuses what is no command: %j", (text, why) => {
    expect(() => parseCommand(text)).toThrow(expect.objectContaining({ code: "INVALID_SPEC" }));
    expect(() => parseCommand(text)).toThrow(why);
  });
});
