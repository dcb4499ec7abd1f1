/** Makes HTML of the content: the lesson pages, which need no script, and the pages that are printed. Reads no files. */

import { Marked } from "marked";
import { LANGUAGES } from "./source.js";

const marked = new Marked();
const inline = (/** @type {string} */ text) => /** @type {string} */ (marked.parseInline(text));
const block = (/** @type {string} */ text) => /** @type {string} */ (marked.parse(text));
export const plain = (/** @type {string} */ text) =>
  text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll('"', "&quot;");

const document = (/** @type {{language: string, title: string, style: string, body: string, kind?: string}} */ of) => `<!doctype html>
<html lang="${of.language}"${of.kind ? ` class="${of.kind}"` : ""}>
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta name="color-scheme" content="light dark">
<title>${plain(of.title)}</title>
<link rel="stylesheet" href="../${of.style}">
</head>
<body>
${of.body}
</body>
</html>
`;

const speakers = (/** @type {string} */ here, /** @type {string} */ page, /** @type {any} */ languages) =>
  `<nav class="languages" aria-label="${plain(languages[here].labels.language)}">${LANGUAGES.map((language) => {
    const current = language === here ? ' aria-current="true"' : "";
    return `<a href="../${language}/${page}.html" lang="${language}" hreflang="${language}"${current}>${languages[language].labels.language}</a>`;
  }).join("")}</nav>`;

/** One card: every answer opens to its own verdict and the explanation, without a script. */
function card(/** @type {any} */ it, /** @type {number} */ n, /** @type {any} */ labels) {
  const best = it.answers.find((/** @type {any} */ answer) => answer.right).text;
  const answers = it.answers.map((/** @type {any} */ answer) => `<details name="${it.id}" class="${answer.right ? "right" : "wrong"}">
<summary>${inline(answer.text)}</summary>
<p><b>${answer.right ? labels.right : labels.wrong}</b>${answer.right ? "" : ` ${labels.best}${inline(best)}.`.replace(/([.?!。។])\.$/, "$1")}</p>
<p>${inline(it.why)}</p>
<p class="remember">${inline(it.remember)}</p>
</details>`);
  return `<section id="${it.id}" class="card">
<p class="quiet">${labels.card.replace("{n}", String(n))}</p>
<p>${inline(it.situation)}</p>
<h2>${inline(it.question)}</h2>
${answers.join("\n")}
</section>`;
}

/** The page of one lesson. */
export function lessonPage(/** @type {any} */ content, /** @type {string} */ language, /** @type {string} */ slug) {
  const { labels, lessons } = content.languages[language];
  const lesson = lessons[slug];
  const next = content.house.lessons[content.house.lessons.indexOf(slug) + 1];
  const onward = next ? `<a href="${next}.html">${labels.next}: ${inline(lessons[next].title)}</a>` : "";
  return document({ language, title: lesson.title, style: "lessons.css", body: `<header>${speakers(language, slug, content.languages)}</header>
<main>
<h1>${inline(lesson.title)}</h1>
${block(lesson.intro)}
<p class="quiet">${labels.choose}</p>
${lesson.cards.map((/** @type {any} */ it, /** @type {number} */ n) => card(it, n + 1, labels)).join("\n")}
<section class="action">
<h2>${labels.do_now}</h2>
${block(lesson.ending)}
<p><a class="button" href="${content.house.actions[lesson.action]}">${labels.open}</a></p>
</section>
<nav class="onward" aria-label="${labels.all}">${onward}<a href="index.html">${labels.all}</a></nav>
</main>` });
}

/** The list of the lessons. */
export function indexPage(/** @type {any} */ content, /** @type {string} */ language) {
  const { labels, lessons } = content.languages[language];
  const items = content.house.lessons.map((/** @type {string} */ slug) => `<li><a href="${slug}.html">${inline(lessons[slug].title)}</a></li>`);
  return document({ language, title: labels.lessons, style: "lessons.css", body: `<header>${speakers(language, "index", content.languages)}</header>
<main>
<h1>${labels.lessons}</h1>
<p>${labels.lead}</p>
<ol class="list">
${items.join("\n")}
</ol>
</main>` });
}

/** A lesson on two printed pages: what happens, what to do, why. */
function printedLesson(/** @type {any} */ lesson, /** @type {any} */ labels) {
  const one = (/** @type {any} */ it) => `<section class="case"><h3>${inline(it.remember)}</h3>
<p>${inline(it.situation)} <b>${inline(it.question)}</b></p>
<p class="do"><b>${labels.answer}:</b> ${inline(it.answers.find((/** @type {any} */ answer) => answer.right).text)}</p>
<p>${inline(it.why)}</p></section>`;
  const left = `<h2>${inline(lesson.title)}</h2>${block(lesson.intro)}${lesson.cards.slice(0, 2).map(one).join("")}`;
  const right = `${lesson.cards.slice(2).map(one).join("")}<section class="now"><h3>${labels.do_now}</h3>${block(lesson.ending)}</section>`;
  return [left, right];
}

/** Fills the directives of one printed page: {{remember signs}}, {{quiz signs codes}}, {{contents}}. */
function filled(/** @type {string} */ text, /** @type {any} */ house, /** @type {any} */ of) {
  const html = block(text
    .replace(/^\{\{contents\}\}$/m, () => house.lessons.map((/** @type {string} */ slug, /** @type {number} */ n) => `${n + 1}. ${of.lessons[slug].title}`).join("\n"))
    .replace(/^\{\{remember ([a-z-]+)\}\}$/gm, (_, slug) => `## ${of.lessons[slug].title}\n\n${of.lessons[slug].cards.map((/** @type {any} */ it) => `- ${it.remember}`).join("\n")}`)
    .replace(/^\{\{quiz ([a-z-]+) ([a-z0-9-]+)\}\}$/gm, (_, slug, id) => {
      const it = of.lessons[slug].cards.find((/** @type {any} */ each) => each.id === id);
      const answers = it.answers.map((/** @type {any} */ answer, /** @type {number} */ n) => `${"ABC"[n]}. ${answer.text}`).join("\n\n");
      return `## ${of.labels.quiz}\n\n${it.situation}\n\n**${it.question}**\n\n${answers}`;
    }));
  if (html.includes("{{")) throw new Error(`a directive that nobody knows: ${/\{\{.*/.exec(html)?.[0]}`);
  return html;
}

/** What is said to a slide: its notes, and the answer and explanation of its quiz. */
function notesOf(/** @type {string} */ page, /** @type {string} */ notes, /** @type {any} */ of) {
  const quiz = /\{\{quiz ([a-z-]+) ([a-z0-9-]+)\}\}/.exec(page);
  const it = quiz && of.lessons[quiz[1] ?? ""].cards.find((/** @type {any} */ each) => each.id === quiz[2]);
  const right = it?.answers.findIndex((/** @type {any} */ answer) => answer.right);
  return `${block(notes)}${it ? `<p><b>${"ABC"[right]}.</b> ${inline(it.why)}</p>` : ""}`;
}

/** The printed documents made of one Markdown source: pages apart by `---`, notes behind `<!-- notes -->`. */
export function printed(/** @type {any} */ content, /** @type {string} */ language, /** @type {string} */ name, withNotes = false) {
  const of = content.languages[language];
  const pages = of.documents[name].split(/^---$/m).flatMap((/** @type {string} */ source) => {
    const [page = "", notes = ""] = source.split("<!-- notes -->");
    const lesson = /^\s*\{\{lesson ([a-z-]+)\}\}\s*$/.exec(page);
    if (lesson) return printedLesson(of.lessons[lesson[1] ?? ""], of.labels);
    const html = filled(page, content.house, of);
    return withNotes ? [`<div class="slide">${html}</div><h2>${of.labels.notes}</h2>${notesOf(page, notes, of)}`] : [html];
  });
  const title = /^# (.+)$/m.exec(of.documents[name])?.[1] ?? name;
  const foot = (/** @type {number} */ n) => n === 0 ? "" : `<p class="foot">${n + 1}</p>`;
  return document({ language, title, kind: withNotes ? "notes" : name, style: "print.css",
    body: pages.map((/** @type {string} */ html, /** @type {number} */ n) => `<section class="page"><div class="text">${html}</div>${foot(n)}</section>`).join("\n") });
}
