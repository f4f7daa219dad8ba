// Reads the files, keeps the language, puts the parts together. No address but relative ones.

import { airNow, airYesterday } from "./air.js";
import { closed, corrections, datasets, standards } from "./datasets.js";
import { h } from "./dom.js";
import { feeds } from "./feeds.js";
import { properties } from "./parts.js";
import { water } from "./water.js";
import { words } from "./words.js";

const LISTS = {
  levels: "standards.air_aqi_levels",
  editions: "standards.air_edition",
  groups: "standards.air_sensitive_groups",
  classes: "standards.water_class_label",
  qualities: "standards.water_quality_levels",
  property: "vocabulary.property",
};
const LANGUAGES = { zh: "zh-CN", en: "en" };
const byId = (id) => document.getElementById(id);

async function json(path) {
  const answer = await fetch(path, { cache: "no-cache" });
  if (!answer.ok) throw new Error(`${path}: ${answer.status}`);
  return answer.json();
}

/** What was asked for by the address, chosen before, or set in the browser. */
function wanted() {
  const asked = new URLSearchParams(location.search).get("lang") ?? kept() ?? navigator.language.slice(0, 2);
  return asked in LANGUAGES ? asked : "zh";
}

function kept() {
  try { return localStorage.getItem("language"); } catch { return null; } // storage may be forbidden
}

function keep(language) {
  try { localStorage.setItem("language", language); } catch { /* the next visit asks the browser again */ }
}

async function read() {
  const [page, index, zh, en, codes, ...lists] = await Promise.all([
    "data/page.json", "../index.json", "texts/zh.json", "texts/en.json", "texts/codes.en.json",
    ...Object.values(LISTS).map((name) => `../codelists/${name}.json`),
  ].map(json));
  return {
    page, index, codes, texts: { zh, en },
    lists: Object.fromEntries(Object.keys(LISTS).map((name, place) => [name, lists[place]])),
  };
}

function show(all, language) {
  const { page, index, lists } = all;
  const w = words(language, all.texts[language], all.codes, page);
  const p = properties(w, lists);
  document.documentElement.lang = LANGUAGES[language];
  document.title = byId("title").textContent = w.t("title", { city: page.city[language] });
  byId("skip").textContent = w.t("skip");
  const button = byId("language");
  const other = language === "zh" ? "en" : "zh";
  button.textContent = w.t("switch");
  button.lang = LANGUAGES[other];
  button.onclick = () => { keep(other); show(all, other); };
  byId("content").replaceChildren(...[
    page.synthetic ? h("p", { class: "warning", role: "note" }, w.t("synthetic")) : null,
    airNow(w, p, lists, page), airYesterday(w, p, lists, page), water(w, p, lists, page),
    feeds(w, page), corrections(w, p, page), datasets(w, index), closed(w, page), standards(w, lists),
  ].filter(Boolean));
  byId("footer").replaceChildren(h("p", {}, w.t("footer")));
  document.documentElement.dataset.ready = language;
}

read().then((all) => show(all, wanted())).catch((problem) => {
  byId("content").replaceChildren(
    h("p", { class: "warning", role: "alert" }, "数据暂时无法读取，请稍后再试。 ",
      h("span", { lang: "en" }, "The data cannot be read at the moment; please try again later.")));
  document.documentElement.dataset.ready = "failed";
  console.error(problem);
});
