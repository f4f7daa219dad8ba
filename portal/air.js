// Air: the newest hour and yesterday of stations and, where the law lets them, of areas.

import { h, table } from "./dom.js";
import { MANY, badge, origin, synthetic, unverified } from "./parts.js";

const HOUR = ["pm2_5", "pm10", "o3", "no2", "so2", "co"];
const DAY = ["pm2_5", "pm10", "o3_mda8", "no2", "so2", "co"];
const STALE_HOURS = 3; // the lateness of the national feed; older than that is not "now" for anybody outside

/** The level of a row: that of the edition that judged it, by the name of the category. */
function levelOf(lists, row) {
  return lists.levels.rows.find((one) => one.standard === row.standard && one.category_cn === row.category);
}

function columns(w, p, lists, items, clock) {
  const level = (row) => {
    const found = levelOf(lists, row);
    return found
      ? badge(w.code(found.category_cn), [found.r, found.g, found.b])
      : h("span", { class: "reason" }, row.aqi_reason ? w.reason(row.aqi_reason, p.short) : w.t("no_level"));
  };
  const who = (row) => [
    row.station_code ? h("span", {}, row.station_name ? w.name(row.station_name) : row.station_code) : null, " ",
    h("span", { class: "area" }, w.name(row.area_name || row.area_code || "")), " ",
    row.synthetic === "true" ? synthetic(w) : null,
    row.period_end && row.period_end !== clock
      ? h("span", { class: "mark late" }, w.t("mark.late", { moment: w.moment(row.period_end) })) : null,
  ];
  return [
    { title: w.t("station"), cell: who },
    { title: w.t("aqi"), cell: (row) => row.aqi ?? "—", kind: "number aqi" },
    { title: w.t("level"), kind: "wide", cell: level },
    { title: w.t("primary"), kind: "wide", cell: (row) => (row.aqi === null ? "—" : p.list(row.primary_pollutant)) },
    ...items.map((item) => ({
      title: `${p.short(item)} ${p.unit(item)}`, cell: (row) => row[item] ?? "—", kind: "number",
    })),
    { title: w.t("standard"), kind: "wide", cell: (row) => (row.standard
      ? [row.standard, " ", unverified(w, row.standard_mark)] : "—") },
  ];
}

/** How many stations have which level, with what its edition says about health; worst first. */
function health(w, p, lists, rows) {
  const found = new Map();
  for (const row of rows) {
    const level = levelOf(lists, row);
    if (!level) continue;
    const entry = found.get(level) ?? { count: 0, pollutants: new Set() };
    entry.count += 1;
    if (row.primary_pollutant) row.primary_pollutant.split(",").forEach((one) => entry.pollutants.add(one));
    found.set(level, entry);
  }
  const items = [...found].sort(([a], [b]) => b.level - a.level).map(([level, { count, pollutants }]) => h("li", {},
    h("p", {}, badge(w.code(level.category_cn), [level.r, level.g, level.b]), " ",
      w.t("stations", { n: count }), " · AQI ", `${level.aqi_lo}–${level.aqi_hi ?? ""}`, " · ", level.standard, " ",
      level.verified === "yes" ? null : unverified(w, level.mark)),
    h("p", {}, w.code(level.health_effect), w.t("stop"), " ", h("strong", {}, w.code(level.advice)), w.t("stop")),
    groups(w, p, lists, level, pollutants)));
  if (!items.length) return h("p", {}, w.t("no_level_anywhere"));
  return h("div", {}, h("ul", { class: "health" }, items),
    w.language === "en" ? h("p", { class: "small" }, w.t("translated")) : null);
}

/** Whom the edition names as sensitive to the primary pollutants of a level. */
function groups(w, p, lists, level, pollutants) {
  const rows = lists.groups.rows.filter((one) => one.standard === level.standard && level.aqi_lo > Number(one.iaqi_gt)
    && pollutants.has(one.pollutant.toLowerCase().replace(".", "_")));
  if (!rows.length) return null;
  return h("p", {}, w.t("sensitive"), w.t("colon"), rows.map((one, place) =>
    [place ? w.t("semicolon") : "", one.pollutant, " ", w.code(one.sensitive_groups)]).flat());
}

/** The nearest area that has rows: the city's own, its prefecture, else all. */
function nearest(areas, city) {
  return areas.find((one) => one === city.code) ?? areas.find((one) => one === `${city.code.slice(0, 4)}00`) ?? "";
}

export function airNow(w, p, lists, page) {
  const block = page.air_hour;
  const section = h("section", { "aria-labelledby": "air", id: "air-now" }, h("h2", { id: "air" }, w.t("air.title")));
  if (!block || !block.rows.length) {
    section.append(h("p", {}, w.t("no_data")));
    return section;
  }
  section.append(origin(w, block, block.clock));
  if (Date.now() - new Date(block.clock) > STALE_HOURS * 3600000) {
    section.append(h("p", { class: "warning", role: "note" }, w.t("stale", { age: w.age(block.clock) })));
  }
  const names = new Map(block.rows.map((row) => [row.area_code ?? "", row.area_name ?? row.area_code ?? ""]));
  const select = h("select", { id: "area" }, h("option", { value: "" }, w.t("all_areas")),
    [...names].filter(([code]) => code).map(([code, name]) => h("option", { value: code, lang: "zh-CN" }, name)));
  const shown = h("div", { "aria-live": "polite" });
  const show = () => {
    const rows = block.rows.filter((row) => !select.value || row.area_code === select.value);
    shown.replaceChildren(health(w, p, lists, rows), h("details", { open: rows.length <= MANY },
      h("summary", {}, w.t("air.summary", { n: rows.length })),
      table(w.t("air.caption"), columns(w, p, lists, HOUR, block.clock), rows, "air-hour")));
  };
  select.value = nearest([...names.keys()], page.city);
  select.addEventListener("change", show);
  show();
  section.append(h("p", {}, h("label", { for: "area" }, w.t("area"), " "), select), shown);
  return section;
}

export function airYesterday(w, p, lists, page) {
  const section = h("section", { "aria-labelledby": "yesterday" }, h("h2", { id: "yesterday" }, w.t("yesterday.title")));
  for (const [block, id] of [[page.air_area_yesterday, "area-day"], [page.air_yesterday, "air-day"]]) {
    if (!block) continue;
    section.append(origin(w, block, block.clock));
    if (!block.rows.length) {
      section.append(h("p", {}, w.t("yesterday.none", { day: block.day })));
      continue;
    }
    section.append(h("details", { open: block.rows.length <= MANY },
      h("summary", {}, w.t("yesterday.summary", { day: block.day, n: block.rows.length })),
      health(w, p, lists, block.rows),
      table(w.t("yesterday.caption", { day: block.day }), columns(w, p, lists, DAY, null), block.rows, id)));
  }
  if (!page.air_yesterday && !page.air_area_yesterday) section.append(h("p", {}, w.t("no_data")));
  return section;
}
