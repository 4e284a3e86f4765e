/** A change of one line that the tests ought to notice. */
export interface Mutant {
  readonly what: string;
  readonly text: string;
}

type Mutator = (line: string) => readonly { readonly what: string; readonly line: string }[];

/** Every mutant of a Rego file: conditions negated, conditions dropped, bounds shifted. */
export function mutantsOf(source: string): readonly Mutant[] {
  const lines = source.split("\n");
  const inBody = bodyLines(lines);
  return lines.flatMap((line, i) => {
    const mutators = inBody.has(i) ? [negate, drop, shift] : / if (?!\{)/.test(line) ? [negateOneLine, shift] : [];
    return mutators.flatMap((mutate) =>
      mutate(line).map(({ what, line: changed }) => ({
        what: `line ${i + 1}: ${what}: ${line.trim()}`,
        text: lines.with(i, changed).join("\n"),
      })),
    );
  });
}

/** Lines between `if {` and its `}`, which are conditions. */
function bodyLines(lines: readonly string[]): ReadonlySet<number> {
  const found = new Set<number>();
  let isInside = false;
  for (const [i, line] of lines.entries()) {
    if (isInside && line === "}") isInside = false;
    if (isInside && line.trim() !== "" && !line.trim().startsWith("#")) found.add(i);
    if (line.endsWith(" if {")) isInside = true;
  }
  return found;
}

const isBinding = (line: string): boolean => /^\s*some |:=/.test(line);

const negate: Mutator = (line) => {
  if (isBinding(line)) return [];
  const negated = /^\s*not /.test(line) ? line.replace(/not /, "") : line.replace(/\S/, (first) => `not ${first}`);
  return [{ what: "negated", line: negated }];
};

const drop: Mutator = (line) => (isBinding(line) ? [] : [{ what: "dropped", line: "\ttrue" }]);

const negateOneLine: Mutator = (line) => {
  if (/ if \w+ :=/.test(line)) return [];
  const [head, condition] = line.split(/ if (?!\{)/) as [string, string];
  const negated = condition.startsWith("not ") ? condition.slice(4) : `not ${condition}`;
  return [
    { what: "negated", line: `${head} if ${negated}` },
    { what: "dropped", line: `${head} if true` },
  ];
};

const BOUNDS: readonly (readonly [RegExp, string])[] = [
  [/ > /, " >= "],
  [/ < /, " <= "],
  [/ >= /, " > "],
  [/ <= /, " < "],
  [/ == /, " != "],
];

const shift: Mutator = (line) => {
  const swapped = BOUNDS.filter(([pattern]) => pattern.test(line)).map(([pattern, other]) => ({
    what: `${pattern.source.trim()} became${other}`,
    line: line.replace(pattern, other),
  }));
  const raised = [...line.matchAll(/(?<=[\s[(*+-])\d+(?=[\s\])]|$)/g)].map(({ 0: number, index }) => ({
    what: `${number} became ${Number(number) + 1}`,
    line: `${line.slice(0, index)}${Number(number) + 1}${line.slice(index + number.length)}`,
  }));
  return [...swapped, ...raised];
};
