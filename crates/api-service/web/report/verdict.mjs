// What the report says of what was measured: whether it is good enough, and the tables that people read. Pure.

/** Impacts as axe names them, the worst first. */
export const IMPACTS = ["critical", "serious", "moderate", "minor"];
/** What nothing may have. */
const GRAVE = ["critical", "serious"];
/** The categories of Lighthouse that count, each out of 100. */
export const CATEGORIES = ["performance", "accessibility", "best-practices"];
export const LOWEST_SCORE = 95;
/** What a first load may weigh, in bytes. */
const HEAVIEST = 100 * 1024;

export const kib = (bytes) => (bytes / 1024).toFixed(1);

/** How many violations there are of each impact. */
export function countImpacts(violations) {
  return IMPACTS.map((wanted) => violations.filter(({ impact }) => impact === wanted).length);
}

/**
 * What is not good enough, a line each. `examined` is `{where, violations}[]`, `scores` is `{where, scores, runs}[]` with
 * a score for each category, `null` if there is none, and `loads` is `{where, requests, bytes}[]`.
 */
export function complaints({ examined, scores, loads }) {
  const found = examined.flatMap(({ where, violations }) =>
    violations
      .filter(({ impact }) => GRAVE.includes(impact))
      .map(({ id, impact, nodes }) => `${where}: ${id} (${impact}) at ${nodes.map(({ target }) => target.join(" ")).join(", ")}`),
  );
  const low = scores.flatMap(({ where, scores }) =>
    CATEGORIES.filter((name) => !(scores[name] >= LOWEST_SCORE)).map(
      (name) => `${where}: ${name} is ${scores[name] ?? "not known"}, below ${LOWEST_SCORE}`,
    ),
  );
  const heavy = loads
    .filter(({ bytes }) => bytes > HEAVIEST)
    .map(({ where, bytes }) => `${where}: the first load has ${kib(bytes)} KiB, more than ${kib(HEAVIEST)}`);
  // Nothing that was looked at is nothing that was found.
  const missing = Object.entries({ examined, scores, loads })
    .filter(([, list]) => list.length === 0)
    .map(([name]) => `${name}: nothing was measured`);
  return [...found, ...low, ...heavy, ...missing];
}

/** Rows as columns, the first row above a line. Numbers stand at the right. */
export function columns(rows) {
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => String(row[column]).length)));
  const line = (row) =>
    row
      .map((cell, column) => (typeof cell === "number" ? String(cell).padStart(widths[column]) : String(cell).padEnd(widths[column])))
      .join("  ")
      .trimEnd();
  const [head, ...rest] = rows;
  return [line(head), widths.map((width) => "-".repeat(width)).join("  "), ...rest.map(line)].join("\n");
}

/** The tables: axe by view, Lighthouse and weight by page. */
export function tables({ examined, scores, loads }) {
  const views = [...new Set(examined.map(({ view }) => view))].map((view) => {
    const all = examined.filter((one) => one.view === view);
    return [view, ...countImpacts(all.flatMap(({ violations }) => violations)), all.length];
  });
  return {
    axe: [["view", ...IMPACTS, "times looked at"], ...views],
    lighthouse: [
      ["page", ...CATEGORIES, "audits"],
      ...scores.map(({ where, scores, runs }) => [where, ...CATEGORIES.map((name) => scores[name] ?? "?"), runs]),
    ],
    weight: [["first load", "requests", "KiB"], ...loads.map(({ where, requests, bytes }) => [where, requests, kib(bytes)])],
  };
}

/** A table in Markdown. */
export function markdown([head, ...rows]) {
  const line = (cells) => `| ${cells.join(" | ")} |`;
  return [line(head), line(head.map(() => "---")), ...rows.map(line)].join("\n");
}

/** All of it for a person to read: the tables, then what axe found and what it leaves to people, each with where. */
export function summary(measured) {
  const { axe, lighthouse, weight } = tables(measured);
  const wrong = complaints(measured);
  const listed = (title, key) => {
    const rules = new Map();
    for (const one of measured.examined) {
      for (const { id, impact, help, helpUrl, nodes } of one[key]) {
        const rule = rules.get(id) ?? { impact, help, helpUrl, places: new Set() };
        rules.set(id, rule);
        for (const { target } of nodes) rule.places.add(`${one.where}: \`${target.join(" ")}\``);
      }
    }
    const items = [...rules].map(
      ([id, { impact, help, helpUrl, places }]) =>
        `- **${id}** (${impact ?? "no impact"}): ${help}. ${helpUrl}\n${[...places].map((place) => `  - ${place}`).join("\n")}`,
    );
    return `## ${title}\n\n${items.length > 0 ? items.join("\n") : "Nothing."}\n`;
  };
  return [
    "# The page, measured\n",
    wrong.length > 0 ? `Not good enough:\n\n${wrong.map((line) => `- ${line}`).join("\n")}\n` : "All of it is good enough.\n",
    `## axe, by view\n\n${markdown(axe)}\n`,
    `## Lighthouse\n\n${markdown(lighthouse)}\n`,
    `## Weight, compressed and with headers\n\n${markdown(weight)}\n`,
    listed("What axe found", "violations"),
    listed("What axe leaves to people to look at", "incomplete"),
  ].join("\n");
}
