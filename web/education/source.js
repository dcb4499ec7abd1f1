/**
 * Reads `content/` and refuses what does not have its form: lessons of five cards, the same cards in every language,
 * tips that fit one SMS part, campaigns that name what exists. Draws nothing.
 */

import { existsSync, readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { parse as parseToml } from "smol-toml";

export const LANGUAGES = ["en", "km", "zh"];
const CARDS = 5;
/** Characters of one card that a reader with a small phone still takes in, question and answers included. */
const CARD_CHARS_MAX = 700;
/** One SMS part: GSM 7-bit for English, UCS-2 for the others. */
const SMS_CHARS_MAX = { en: 160, km: 70, zh: 70 };
const GSM_7 = /^[A-Za-z0-9 @£$¥!"#%&'()*+,\-./:;<=>?_\n]*$/;
const LINK = /https?:|www\.|\b[a-z0-9-]+\.(com|net|org|kh|example|test)\b|\/\//i;

/** What is wrong, each with its file; empty where all is well. */
export class Findings extends Array {
  say(/** @type {string} */ file, /** @type {string} */ what) {
    this.push(`${file}: ${what}`);
  }
}

/** Splits `text` into its front matter and the rest. */
function frontMatter(/** @type {string} */ text) {
  const found = /^---\n([\s\S]*?)\n---\n/.exec(text);
  /** @type {Record<string, string>} */
  const head = {};
  for (const line of found?.[1]?.split("\n") ?? []) {
    const at = line.indexOf(":");
    head[line.slice(0, at).trim()] = line.slice(at + 1).trim();
  }
  return { head, body: text.slice(found?.[0].length ?? 0) };
}

/**
 * One lesson: intro, five cards, one action. `findings` gets what is wrong.
 * @param {string} file @param {string} text @param {Findings} findings
 */
export function parseLesson(file, text, findings) {
  const { head, body } = frontMatter(text);
  for (const key of ["title", "action"]) if (!head[key]) findings.say(file, `the front matter lacks ${key}`);
  const [intro, ...parts] = body.split(/^## /m);
  const cards = [];
  let action = "";
  for (const part of parts) {
    const end = part.indexOf("\n");
    const id = part.slice(0, end).trim();
    if (id === "action") action = part.slice(end).trim();
    else cards.push(parseCard(`${file}, card ${id}`, id, part.slice(end), findings));
  }
  if (cards.length !== CARDS) findings.say(file, `has ${cards.length} cards, a lesson has ${CARDS}`);
  if (new Set(cards.map((card) => card.id)).size !== cards.length) findings.say(file, "two cards have one name");
  if (!action) findings.say(file, "ends in no action");
  if (!intro?.trim()) findings.say(file, "has no introduction");
  return { title: head["title"] ?? "", action: head["action"] ?? "", intro: intro?.trim() ?? "", cards, ending: action };
}

/** @param {string} where @param {string} id @param {string} text @param {Findings} findings */
function parseCard(where, id, text, findings) {
  const lines = text.split("\n").map((line) => line.trim()).filter((line) => line !== "");
  const only = (/** @type {(line: string) => boolean} */ test, /** @type {string} */ what) => {
    const found = lines.filter(test);
    if (found.length !== 1) findings.say(where, `has ${found.length} times ${what}, must have it once`);
    return found[0] ?? "";
  };
  const question = only((line) => line.startsWith("### "), "a question (###)").slice(4);
  const why = only((line) => line.startsWith("> "), "an explanation (>)").slice(2);
  const remember = only((line) => /^\*\*.+\*\*$/.test(line), "a line to remember (**)").slice(2, -2);
  const answers = lines
    .filter((line) => /^- \[[ x]\] /.test(line))
    .map((line) => ({ right: line[3] === "x", text: line.slice(6) }));
  const situation = lines.slice(0, lines.findIndex((line) => line.startsWith("### "))).join(" ");
  if (answers.length < 2 || answers.length > 3) findings.say(where, `has ${answers.length} answers, must have two or three`);
  const right = answers.filter((answer) => answer.right).length;
  if (right !== 1) findings.say(where, `has ${right} right answers, must have one`);
  if (!situation) findings.say(where, "has no situation before its question");
  if (text.length > CARD_CHARS_MAX) findings.say(where, `has ${text.length} characters, at most ${CARD_CHARS_MAX}`);
  return { id, situation, question, answers, why, remember };
}

/** One tip, as it would be sent. @param {string} language @param {string} text */
export function tipTrouble(language, text) {
  const max = SMS_CHARS_MAX[/** @type {keyof typeof SMS_CHARS_MAX} */ (language)];
  if (text.length > max) return `${text.length} characters, one SMS part has ${max}`;
  if (LINK.test(text)) return "holds a link; tips hold none";
  if (/[\u200b-\u200d]/.test(text)) return "holds an invisible character, which costs a place of the SMS part";
  if (language === "en" && !GSM_7.test(text)) return "holds a character outside GSM 7-bit, which halves the room";
  return "";
}

const TRIGGERS = ["operation_denied", "line_unlocked", "link_dangerous", "code_burst", "monthly_unlocked", "phone_outdated"];
const MEASURES = ["lock_on_within_7d", "reports_within_30d", "minutes_to_report", "phone_updated_within_7d"];
const allOf = (/** @type {unknown} */ list, /** @type {string[]} */ known) =>
  Array.isArray(list) && list.length > 0 && list.every((each) => known.includes(each));

/**
 * One campaign against what exists.
 * @param {string} file @param {Record<string, any>} it @param {{tips: string[], lessons: string[], limit: number}} known
 * @param {Findings} findings
 */
export function checkCampaign(file, it, known, findings) {
  const must = (/** @type {boolean} */ holds, /** @type {string} */ what) => holds || findings.say(file, what);
  must(typeof it["title"] === "string", "title is missing");
  must(TRIGGERS.includes(it["trigger"]), `trigger must be one of ${TRIGGERS.join(", ")}`);
  must(known.tips.includes(it["tip"]), `there is no tip ${it["tip"]}`);
  must(known.lessons.includes(it["lesson"]), `there is no lesson ${it["lesson"]}`);
  must(allOf(it["channels"], ["app", "sms"]), "channels must be of app, sms");
  must(allOf(it["languages"], LANGUAGES), `languages must be of ${LANGUAGES.join(", ")}`);
  must(allOf(it["risk"], ["standard", "raised", "high"]), "risk must be of standard, raised, high");
  must(MEASURES.includes(it["measure"]), `measure must be one of ${MEASURES.join(", ")}`);
  must(it["delay_minutes"] >= 0 && it["delay_minutes"] <= 1440, "delay_minutes must be 0 to 1440");
  must(it["control_share"] > 0 && it["control_share"] <= 0.5, "control_share must be over 0, at most 0.5: without one there is no effect to state");
  must(it["per_person_30d_max"] >= 1 && it["per_person_30d_max"] <= known.limit, "per_person_30d_max must be 1 to that of limits.toml");
}

/** Everything in `content/`, and what is wrong with it. @param {string} root of the repository */
export function readContent(root) {
  const findings = new Findings();
  const at = (/** @type {string[]} */ ...path) => join(root, "content", ...path);
  const house = /** @type {any} */ (parseToml(readFileSync(at("education.toml"), "utf8")));
  /** @type {Record<string, any>} */
  const languages = {};
  for (const language of LANGUAGES) {
    const json = (/** @type {string} */ name) => JSON.parse(readFileSync(at(language, name), "utf8"));
    const labels = json("labels.json");
    const hotline = house.hotline || labels.hotline;
    const fill = (/** @type {string} */ text, number = hotline) =>
      text.replaceAll("{service}", house.service).replaceAll("{hotline}", number);
    /** @type {Record<string, ReturnType<typeof parseLesson>>} */
    const lessons = {};
    for (const slug of house.lessons) {
      const file = at(language, "lessons", `${slug}.md`);
      if (!existsSync(file)) findings.say(file, "is missing");
      else lessons[slug] = parseLesson(`${language}/lessons/${slug}.md`, fill(readFileSync(file, "utf8")), findings);
    }
    for (const name of readdirSync(at(language, "lessons"))) {
      if (!house.lessons.includes(name.replace(/\.md$/, ""))) findings.say(`${language}/lessons/${name}`, "is not among the lessons of education.toml");
    }
    const tips = json("tips.json");
    for (const [name, text] of Object.entries(tips)) {
      const trouble = tipTrouble(language, fill(text, house.hotline || "0".repeat(house.hotline_chars_max)));
      if (trouble) findings.say(`${language}/tips.json, ${name}`, trouble);
    }
    /** @type {Record<string, string>} */
    const documents = {};
    for (const name of readdirSync(at(language)).filter((each) => each.endsWith(".md"))) {
      documents[name.replace(/\.md$/, "")] = fill(readFileSync(at(language, name), "utf8"));
    }
    for (const key of Object.keys(labels)) labels[key] = fill(labels[key]);
    languages[language] = { labels, lessons, tips, documents };
  }
  sameShape(house, languages, findings);
  const limits = /** @type {any} */ (parseToml(readFileSync(at("campaigns", "limits.toml"), "utf8")));
  const known = { tips: Object.keys(languages["en"].tips), lessons: house.lessons, limit: limits.per_person_30d_max };
  for (const name of readdirSync(at("campaigns")).filter((each) => each !== "limits.toml")) {
    checkCampaign(`campaigns/${name}`, parseToml(readFileSync(at("campaigns", name), "utf8")), known, findings);
  }
  return { house, languages, findings };
}

/** What every language must share: slugs, actions, cards, which answer is right, tips, documents. */
function sameShape(/** @type {any} */ house, /** @type {Record<string, any>} */ languages, /** @type {Findings} */ findings) {
  const shape = (/** @type {any} */ of) => ({
    lessons: Object.fromEntries(Object.entries(of.lessons).map(([slug, /** @type {any} */ lesson]) => [slug, [lesson.action,
      ...lesson.cards.map((/** @type {any} */ card) => [card.id, card.answers.map((/** @type {any} */ answer) => answer.right)])]])),
    tips: Object.keys(of.tips).sort(),
    documents: Object.keys(of.documents).sort(),
    labels: Object.keys(of.labels).sort(),
  });
  for (const language of LANGUAGES) {
    const [mine, first] = [shape(languages[language]), shape(languages["en"])];
    for (const key of /** @type {const} */ (["tips", "documents", "labels"])) {
      if (JSON.stringify(mine[key]) !== JSON.stringify(first[key])) findings.say(language, `${key} are not those of en`);
    }
    for (const slug of house.lessons) {
      const action = languages[language].lessons[slug]?.action;
      if (!(action in house.actions)) findings.say(`${language}/lessons/${slug}.md`, `there is no action ${action} in education.toml`);
      if (JSON.stringify(mine.lessons[slug]) !== JSON.stringify(first.lessons[slug])) {
        findings.say(`${language}/lessons/${slug}.md`, "cards, right answers or action are not those of en");
      }
    }
  }
}
