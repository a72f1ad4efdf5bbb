{# SPDX-License-Identifier: GPL-3.0-or-later #}
"use strict";
// Refreshes the page every few seconds, and follows the links that halt or resume a topic without leaving the page.
// Without scripts the page reloads itself, and the links work as links.
const notice = document.getElementById("notice");
let noticeShownAt = 0;

function showNotice(text, isError) {
  notice.textContent = text;
  notice.className = isError ? "error" : "";
  notice.hidden = !text;
  noticeShownAt = Date.now();
}

async function refresh() {
  if (document.hidden || String(window.getSelection())) return;
  try {
    const page = new DOMParser().parseFromString(await (await fetch("/")).text(), "text/html");
    const main = page.querySelector("main");
    if (!main) return;
    document.title = page.title;
    const scrolled = new Map([...document.querySelectorAll(".scroll")].map((each, number) => [number, each.scrollLeft]));
    document.querySelector("main").replaceWith(document.importNode(main, true));
    document.querySelectorAll(".scroll").forEach((each, number) => { each.scrollLeft = scrolled.get(number) || 0; });
    if (Date.now() - noticeShownAt > 8000) showNotice("");
  } catch (error) {
    showNotice("This worker does not answer. The page may be out of date.", true);
  }
}

document.addEventListener("click", async (event) => {
  const link = event.target.closest("a.button, a.quiet");
  if (!link) return;
  event.preventDefault();
  if (link.dataset.confirm && !window.confirm(link.dataset.confirm)) return;
  try {
    const reply = await fetch(link.href);
    const answer = await reply.json();
    const results = (answer.messages || []).map(each => ` [${each.partition}]@${each.offset}: ${each.result}.`);
    showNotice(answer.message + results.join(""), !reply.ok);
  } catch (error) {
    showNotice("This worker does not answer.", true);
  }
  await refresh();
});

setInterval(refresh, 5000);
document.addEventListener("visibilitychange", refresh);
