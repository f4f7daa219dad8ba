// Datasets with age, gate and files; what changed lately; what is not public; what nobody has verified yet.

import { h, table } from "./dom.js";
import { synthetic, unverified } from "./parts.js";

const GATE = ["released", "open", "waiting", "blocked", "with_warnings"];

export function datasets(w, index) {
  const until = (one) => (one.period_to
    ? [h("time", { datetime: one.period_to }, w.moment(one.period_to)), " ", h("span", { class: "age" }, `(${w.age(one.period_to)})`)]
    : w.t("no_release"));
  const gate = (one) => h("ul", { class: "plain" }, GATE.filter((name) => one.gate[name] || name === "released")
    .map((name) => h("li", { class: name === "blocked" ? "reason" : null }, w.t(`gate.${name}`, { n: one.gate[name] }))));
  return h("section", { "aria-labelledby": "datasets" }, h("h2", { id: "datasets" }, w.t("datasets.title")),
    h("p", {}, w.t("index_of"), w.t("colon"), h("a", { href: "../index.json" }, "index.json"), " · ",
      w.moment(index.last_updated)),
    table(w.t("datasets.caption"), [
      { title: w.t("dataset"), cell: (one) => [h("span", {}, w.both(one.title)), " ", h("code", {}, one.dataset), " ",
        one.synthetic ? synthetic(w) : null] },
      { title: w.t("data_until"), kind: "wide", cell: until },
      { title: w.t("updated"), kind: "wide", cell: (one) => (one.last_updated
        ? [w.moment(one.last_updated), " ", one.latest_version] : one.withheld ? w.both(one.withheld) : "—") },
      { title: w.t("gate"), kind: "wide", cell: gate },
      { title: w.t("authority"), kind: "wide", cell: (one) => [w.name(one.authority), h("br"), h("span", { class: "note" }, w.both(one.note))] },
      { title: w.t("editions"), kind: "wide", cell: (one) => h("ul", { class: "plain" },
        one.editions.map((edition) => h("li", {}, w.name(edition.standard), " ", unverified(w, edition.mark)))) },
      { title: w.t("files"), kind: "wide", cell: (one) => files(w, one) },
    ], index.datasets, "dataset-list"));
}

/** Links that need no guess; the list of parts is read when somebody wants it, it may be long. */
function files(w, one) {
  if (!one.datapackage) return "—";
  const folder = one.datapackage.replace(/[^/]+$/, "");
  const list = h("ul", { class: "plain" });
  const details = h("details", {}, h("summary", {}, w.t("files.show")), list);
  details.addEventListener("toggle", async () => {
    if (!details.open || list.childElementCount) return;
    const descriptor = await (await fetch(`../${one.datapackage}`)).json();
    list.replaceChildren(
      h("li", {}, h("a", { href: `../${one.datapackage}` }, "datapackage.json")),
      ...descriptor.resources.map((file) => h("li", {},
        h("a", { href: `../${folder}${file.path}`, download: "" }, `${file.name}.${file.format}`), " ",
        `${Math.ceil(file.bytes / 1024)} KiB`)),
      h("li", {}, w.t("licence"), w.t("colon"), one.licence));
  });
  return details;
}

export function corrections(w, p, page) {
  const section = h("section", { "aria-labelledby": "corrections" },
    h("h2", { id: "corrections" }, w.t("corrections.title")), h("p", {}, w.t("corrections.what")));
  const all = Object.entries(page.corrections);
  const rows = all.flatMap(([, one]) => one.rows);
  const count = all.reduce((sum, [, one]) => sum + one.count, 0);
  if (!rows.length) {
    section.append(h("p", {}, w.t("corrections.none")));
    return section;
  }
  const named = (column) => (w.has(`column.${column}`) ? w.t(`column.${column}`) : p.short(column));
  const value = (column, text) => {
    if (text === null) return w.t("empty");
    return /pollutant|items/.test(column) ? p.list(text) : w.code(text);
  };
  section.append(h("details", { open: rows.length <= 10 },
    h("summary", {}, w.t("corrections.count", { n: count, shown: rows.length })),
    table(w.t("corrections.caption"), [
      { title: w.t("where"), cell: (one) => [w.name(one.what.section_name ?? one.what.station_name ?? one.what.station_code), " ",
        h("span", { class: "area" }, w.name(one.what.area_name ?? one.what.province ?? "")), " ",
        one.what.synthetic === "true" ? synthetic(w) : null] },
      { title: w.t("period"), kind: "wide", cell: (one) => w.moment(one.period) },
      { title: w.t("change"), kind: "wide", cell: (one) => h("ul", { class: "plain" }, one.changes.map((change) => h("li", {},
        named(change.column), w.t("colon"), h("del", {}, value(change.column, change.before)), " → ",
        h("ins", {}, value(change.column, change.after))))) },
      { title: w.t("since"), kind: "wide", cell: (one) => w.moment(one.known_at) },
    ], rows, "correction-list")));
  return section;
}

export function closed(w, page) {
  if (!page.closed.length) return null;
  return h("section", { "aria-labelledby": "closed" }, h("h2", { id: "closed" }, w.t("closed.title")),
    h("ul", {}, page.closed.map((one) => h("li", {}, h("strong", {}, w.both(one.title)), " · ", w.name(one.authority),
      w.t("colon"), w.both(one.note)))));
}

/** Editions with what their rows rest on. */
export function standards(w, lists) {
  return h("section", { "aria-labelledby": "standards" }, h("h2", { id: "standards" }, w.t("standards.title")),
    h("p", {}, w.t("standards.what")),
    h("ul", {}, lists.editions.rows.map((row) => h("li", {},
      `${row.aqi_standard}, ${row.limit_standard}, ${row.evaluation_standard}: ${row.valid_from} – ${row.valid_to ?? ""} `,
      row.verified === "yes" ? null : h("span", { class: "mark unverified" }, w.t(`verified.${row.verified}`)), " ",
      h("span", { class: "small", lang: "en" }, row.mark ?? "")))),
    h("p", {}, w.t("codelists"), w.t("colon"), Object.values(lists).map((one, place) => [place ? ", " : "",
      h("a", { href: `../codelists/${one.codelist}.json` }, one.codelist)]).flat()));
}
