{# SPDX-License-Identifier: GPL-3.0-or-later #}
"use strict";
// Looks again every few seconds, and does what a link asks for without leaving the page. Without scripts the page
// reloads by itself and the links work as links.
const notice = document.getElementById("notice");
let said = 0;

function say(text, wrong) {
  notice.textContent = text;
  notice.className = wrong ? "wrong" : "";
  notice.hidden = !text;
  said = Date.now();
}

async function look() {
  if (document.hidden || String(window.getSelection())) return;
  try {
    const page = new DOMParser().parseFromString(await (await fetch("/")).text(), "text/html");
    const main = page.querySelector("main");
    if (!main) return;
    document.title = page.title;
    const left = new Map([...document.querySelectorAll(".scroll")].map((each, number) => [number, each.scrollLeft]));
    document.querySelector("main").replaceWith(document.importNode(main, true));
    document.querySelectorAll(".scroll").forEach((each, number) => { each.scrollLeft = left.get(number) || 0; });
    if (Date.now() - said > 8000) say("");
  } catch (error) {
    say("This worker does not answer; what is shown may be old.", true);
  }
}

document.addEventListener("click", async (event) => {
  const link = event.target.closest("a.button, a.quiet");
  if (!link) return;
  event.preventDefault();
  if (link.dataset.ask && !window.confirm(link.dataset.ask)) return;
  try {
    const reply = await fetch(link.href);
    say((await reply.json()).message, !reply.ok);
  } catch (error) {
    say("This worker does not answer.", true);
  }
  await look();
});

setInterval(look, 5000);
document.addEventListener("visibilitychange", look);
