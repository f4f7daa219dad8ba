// Elements from data, never from markup: a name from a feed is text, whatever it holds.

/** An element with attributes and children; null children are left out. */
export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== null && value !== undefined && value !== false) element.setAttribute(name, value);
  }
  element.append(...children.flat().filter((one) => one !== null && one !== undefined));
  return element;
}

/**
 * A table that becomes a card a row on narrow screens. The roles are said because `display: block` would take them.
 * Each column: {title, cell(row), kind}; the first one heads its row.
 */
export function table(caption, columns, rows, id) {
  const head = h("tr", { role: "row" },
    columns.map((one) => h("th", { scope: "col", role: "columnheader", class: one.kind }, one.title)));
  const body = rows.map((row) => h("tr", { role: "row" }, columns.map((one, place) => place
    ? h("td", { role: "cell", class: one.kind, "data-title": one.title }, one.cell(row))
    : h("th", { scope: "row", role: "rowheader" }, one.cell(row)))));
  return h("table", { role: "table", id },
    h("caption", {}, caption), h("thead", { role: "rowgroup" }, head), h("tbody", { role: "rowgroup" }, body));
}
