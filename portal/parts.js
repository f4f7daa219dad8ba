// Small parts that air and water share: level badges, marks, where a block's data come from.

import { h } from "./dom.js";

/** A list that is longer is folded: on a telephone it would hide what comes below. */
export const MANY = 20;

/** A level as text on its colour, readable on any of them. */
export function badge(text, colour) {
  const element = h("span", { class: "badge" }, text);
  if (colour) {
    const [r, g, b] = colour.map(Number);
    element.style.setProperty("background-color", `rgb(${r}, ${g}, ${b})`);
    element.style.setProperty("color", brightness([r, g, b]) > 0.179 ? "#000" : "#fff");
  }
  return element;
}

/** Relative luminance of WCAG 2; above 0.179 black is read more easily than white. */
function brightness(colour) {
  const [r, g, b] = colour.map((one) => one / 255).map((one) => (one <= 0.03928 ? one / 12.92 : ((one + 0.055) / 1.055) ** 2.4));
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

export function synthetic(w) {
  return h("span", { class: "mark synthetic" }, w.t("mark.synthetic"));
}

/** The mark of provenance of a standard: shown wherever somebody still has to read the text. */
export function unverified(w, mark) {
  if (w.marks[mark ?? ""] === "yes") return null;
  return h("span", { class: "mark unverified", title: mark }, w.t("mark.unverified"));
}

/** Authority, note, version, the data's own clock and how long ago that is. */
export function origin(w, block, clock) {
  return h("p", { class: "origin" },
    h("strong", { class: "note" }, w.both(block.note)), " · ",
    w.t("authority"), w.t("colon"), w.name(block.authority), " · ",
    w.t("data_until"), w.t("colon"), h("time", { datetime: clock }, w.moment(clock)),
    " (", h("span", { class: "age" }, w.age(clock)), ") · ", block.version);
}

/** Names of properties, and values as they stand in the file, with units. */
export function properties(w, lists) {
  const rows = new Map(lists.property.rows.map((row) => [row.property, row]));
  const column = (name) => (name === "o3_mda8" ? "o3" : name);
  const name = (property) => {
    const row = rows.get(column(property));
    return row ? (w.language === "zh" ? row.name_zh : row.name_en) : property;
  };
  return {
    name,
    short: (property) => (w.has(`short.${property}`) ? w.t(`short.${property}`) : name(property)),
    unit: (property) => {
      const unit = rows.get(column(property))?.unit;
      return unit && unit !== "1" ? (w.has(`unit.${unit}`) ? w.t(`unit.${unit}`) : unit) : "";
    },
    list: (text) => (text ? text.split(",").map((one) => name(one.trim())).join(w.t("comma")) : w.t("none")),
  };
}
