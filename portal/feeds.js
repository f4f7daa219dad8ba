// What the departments delivered: each source's newest whole day, what is missing of it, and whose it is.

import { h, table } from "./dom.js";
import { MANY, origin, synthetic } from "./parts.js";

const MISSING = ["source_missing", "platform_missing", "marked_invalid", "invalidated_by_review", "not_required", "awaited"];
const BESIDES = ["late", "rejected", "unplaced", "revised"];

export function feeds(w, page) {
  const block = page.feeds;
  const section = h("section", { "aria-labelledby": "feeds" }, h("h2", { id: "feeds" }, w.t("feeds.title")));
  if (!block || !block.rows.length) {
    section.append(h("p", {}, w.t("no_data")));
    return section;
  }
  const department = (row) => (page.departments[row.department] ? w.both(page.departments[row.department]) : row.department);
  section.append(h("p", {}, w.t("feeds.what")), origin(w, block, block.clock),
    h("details", { open: block.rows.length <= MANY }, h("summary", {}, w.t("feeds.summary", { n: block.rows.length })),
      table(w.t("feeds.caption"), [
        { title: w.t("feed"), kind: "wide", cell: (row) => [w.both({ zh: row.title_zh, en: row.title_en }), " ",
          row.synthetic === "true" ? synthetic(w) : null, h("br"), h("span", { class: "area" }, department(row))] },
        { title: w.t("day"), cell: (row) => row.day },
        { title: w.t("feeds.complete"), kind: "number", cell: (row) => share(row.complete_share) },
        { title: w.t("feeds.in_time"), kind: "number", cell: (row) => share(row.in_time_share) },
        { title: w.t("feeds.expected"), kind: "number", cell: (row) => row.expected_count },
        { title: w.t("feeds.received"), kind: "number", cell: (row) => row.received_count },
        { title: w.t("feeds.missing"), kind: "wide", cell: (row) => counted(w, row, MISSING) },
        { title: w.t("feeds.besides"), kind: "wide", cell: (row) => counted(w, row, BESIDES) },
      ], block.rows, "feed-days")));
  return section;
}

/** A share as per cent with one digit, cut and not rounded: 99.96 % is not all of it. */
function share(text) {
  return text === null ? "—" : `${(Math.floor(Number(text) * 1000 + 1e-9) / 10).toFixed(1)} %`;
}

function counted(w, row, kinds) {
  const found = kinds.filter((kind) => Number(row[`${kind}_count`]));
  return found.length
    ? h("ul", { class: "plain" }, found.map((kind) => h("li", {}, w.t(`feeds.${kind}`, { n: row[`${kind}_count`] }))))
    : w.t("none");
}
