// Words of the page, translations of codes, names, moments. One object for each language.

/** Words in `zh` or `en`. `texts`: the page's own; `codes`: English for the Chinese of code lists; the third: the page's data. */
export function words(language, texts, codes, { names, marks, timezone }) {
  const moment = new Intl.DateTimeFormat("sv-SE", {
    timeZone: timezone, year: "numeric", month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit",
  });
  const english = language === "en";

  function t(key, values = {}) {
    if (!(key in texts)) throw new Error(`no text for ${key} in ${language}`);
    return texts[key].replace(/\{(\w+)\}/g, (_, name) => values[name]);
  }

  /** What has no translation stays what it is, and says in which language it is. */
  function foreign(text) {
    if (!english || !/[\u3400-\u9fff]/.test(text)) return text;
    const element = document.createElement("span");
    element.lang = "zh-CN";
    element.textContent = text;
    return element;
  }

  return {
    language,
    t,
    marks,
    name: (text) => foreign((english && names[text]) || text),
    code: (text) => foreign((english && codes[text]) || text),
    both: (one) => one[language],
    has: (key) => key in texts,
    moment: (iso) => moment.format(new Date(iso)),
    /** Rounded down: what is 119 minutes old is one hour old. */
    age(iso) {
      const minutes = Math.floor((Date.now() - new Date(iso)) / 60000);
      if (minutes < 0) return t("age.running");
      if (minutes < 120) return t("age.minutes", { n: minutes });
      if (minutes < 48 * 60) return t("age.hours", { n: Math.floor(minutes / 60) });
      return t("age.days", { n: Math.floor(minutes / 1440) });
    },
    /** `missing:so2,co` and the like. */
    reason(text, property) {
      const [kind, of] = text.split(":");
      if (!(`reason.${kind}` in texts)) return text;
      return t(`reason.${kind}`, { of: (of || "").split(",").filter(Boolean).map(property).join(t("comma")) });
    },
  };
}
