/**
 * Functions of Rego that opa-wasm leaves to its host. The only clock is the decision's own time, so that the same input is decided the same way whenever it is
 * asked. Whatever is not here, and not in the compiled policy, is a fault.
 */
export function builtins(now: () => number): Readonly<Record<string, (...args: never[]) => unknown>> {
  return {
    "time.now_ns": () => nanoseconds(now()),
    "time.parse_rfc3339_ns": (text: string) => nanoseconds(parseTime(text)),
    "time.clock": (moment: Moment) => {
      const { hour, minute, second } = partsOf(moment);
      return [hour, minute, second];
    },
    "time.date": (moment: Moment) => {
      const { year, month, day } = partsOf(moment);
      return [year, month, day];
    },
    "time.weekday": (moment: Moment) => partsOf(moment).weekday,
  };
}

/** Nanoseconds since 1970, alone or with the name of a time zone. */
type Moment = number | readonly [number] | readonly [number, string];

const RFC3339 = /^\d{4}-\d{2}-\d{2}[Tt]\d{2}:\d{2}:\d{2}(\.\d+)?([Zz]|[+-]\d{2}:\d{2})$/;

function parseTime(text: string): number {
  const time = RFC3339.test(text) ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(time)) throw new Error(`${text} is no time`);
  return time;
}

function nanoseconds(milliseconds: number): number {
  return milliseconds * 1_000_000;
}

const formats = new Map<string, Intl.DateTimeFormat>();

/** Numbers here are exact to some hundred nanoseconds: rounding to the millisecond is what gives the second back. */
function partsOf(moment: Moment) {
  const [ns, zone = "UTC"] = typeof moment === "number" ? ([moment] as const) : moment;
  const format = formats.get(zone) ?? newFormat(zone === "" ? "UTC" : zone);
  formats.set(zone, format);
  const parts = Object.fromEntries(format.formatToParts(Math.round(ns / 1_000_000)).map(({ type, value }) => [type, value]));
  const number = (name: string) => Number(parts[name]);
  return {
    year: number("year"),
    month: number("month"),
    day: number("day"),
    hour: number("hour"),
    minute: number("minute"),
    second: number("second"),
    weekday: parts["weekday"],
  };
}

function newFormat(timeZone: string): Intl.DateTimeFormat {
  const numeric = "numeric" as const;
  return new Intl.DateTimeFormat("en-US", {
    timeZone,
    hourCycle: "h23",
    weekday: "long",
    year: numeric,
    month: numeric,
    day: numeric,
    hour: numeric,
    minute: numeric,
    second: numeric,
  });
}
