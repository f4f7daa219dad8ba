// Water: the newest sample of each section that holds, with its class and what decided it.

import { h, table } from "./dom.js";
import { MANY, badge, origin, synthetic, unverified } from "./parts.js";

const ITEMS = ["ph", "dissolved_oxygen", "codmn", "ammonia_nitrogen", "total_phosphorus"];
// The code list names colours by a word only; these are the plain ones of that name, none is printed anywhere.
const COLOURS = { "蓝": [30, 90, 200], "绿": [0, 150, 60], "黄": [255, 220, 0], "橙": [255, 126, 0], "红": [210, 0, 0] };

/** The row of quality levels in whose range a class lies. */
function qualityOf(lists, row) {
  const classOf = (label) => Number(lists.classes.rows.find((one) => one.label === label)?.class);
  const found = Number(row.water_class);
  return lists.qualities.rows.find((one) => classOf(one.class_best) <= found && found <= classOf(one.class_worst));
}

export function water(w, p, lists, page) {
  const block = page.water;
  const section = h("section", { "aria-labelledby": "water" }, h("h2", { id: "water" }, w.t("water.title")));
  if (!block || !block.rows.length) {
    section.append(h("p", {}, w.t("no_data")));
    return section;
  }
  const level = (row) => {
    if (!row.water_class) return h("span", { class: "reason" }, row.class_reason ? w.reason(row.class_reason, p.name) : "—");
    const quality = qualityOf(lists, row);
    return [badge(w.code(row.water_class_cn), quality && COLOURS[quality.colour_cn]), " ",
      quality ? w.code(quality.category_cn) : null];
  };
  section.append(origin(w, block, newest(block.rows)), counts(w, lists, block.rows), h("details", { open: block.rows.length <= MANY },
    h("summary", {}, w.t("water.summary", { n: block.rows.length })), table(w.t("water.caption"), [
    { title: w.t("section"), cell: (row) => [w.name(row.section_name ?? row.section_code), " ",
      h("span", { class: "area" }, w.name(row.river ?? row.basin ?? "")), " ",
      row.synthetic === "true" ? synthetic(w) : null] },
    { title: w.t("class"), kind: "wide", cell: level },
    { title: w.t("deciding"), kind: "wide", cell: (row) => p.list(row.deciding_items) },
    { title: w.t("sampled"), kind: "wide", cell: (row) => h("time", { datetime: row.sampled_at }, w.moment(row.sampled_at)) },
    ...ITEMS.map((item) => ({
      title: `${p.short(item)} ${p.unit(item)}`, cell: (row) => row[item] ?? "—", kind: "number",
    })),
    { title: w.t("review"), cell: (row) => w.t(`review.${row.review_stage}`) },
    { title: w.t("standard"), kind: "wide", cell: (row) => (row.standard
      ? [row.standard, " ", unverified(w, row.standard_mark)] : "—") },
  ], block.rows, "water-sections")));
  return section;
}

/** How many sections have which class, best first. */
function counts(w, lists, rows) {
  const found = new Map();
  for (const row of rows) if (row.water_class) found.set(row.water_class, [...(found.get(row.water_class) ?? []), row]);
  return h("ul", { class: "counts" }, [...found.keys()].sort().map((one) => {
    const of = found.get(one);
    return h("li", {}, badge(w.code(of[0].water_class_cn), COLOURS[qualityOf(lists, of[0])?.colour_cn]), ` × ${of.length}`);
  }));
}

function newest(rows) {
  return rows.map((row) => row.sampled_at).reduce((a, b) => (new Date(a) > new Date(b) ? a : b));
}
