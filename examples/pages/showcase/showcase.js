// What the cards of the page do.

import { share } from "./board.js";
import { Chart, call, gauge, mebibytes, show } from "./talk.js";

const $ = (selector, within = document) => within.querySelector(selector);
const $$ = (selector, within = document) => [...within.querySelectorAll(selector)];
const pause = (seconds) => new Promise((resolve) => setTimeout(resolve, seconds * 1000));

// A line as "GET /path", and what a button says besides.
function parse(line, { accept, body } = {}) {
  const [method, path] = line.split(/ (.*)/s);
  const headers = {};
  if (accept) headers.accept = accept;
  return { method, path, headers, body };
}

function colours() {
  const cookie = /(?:^|; )theme=(light|dark)/.exec(document.cookie);
  document.documentElement.dataset.theme = cookie ? cookie[1] : "";
}

for (const button of $$("[data-call]")) {
  const card = button.closest("article");
  button.onclick = async () => {
    await call(card, parse(button.dataset.call, button.dataset));
    colours();
  };
}

for (const form of $$("[data-free]")) {
  form.onsubmit = (event) => {
    event.preventDefault();
    call(form.closest("article"), parse(`GET ${$("input", form).value}`));
  };
}

// The line at the top: events that come as long as the page is there.
function pulse() {
  new EventSource("/pulse").onmessage = (event) => beat(JSON.parse(event.data));
}

function beat(now) {
  for (const place of $$("[data-pulse]")) {
    const text = `${now[place.dataset.pulse]}`;
    if (place.textContent === text) continue;
    place.textContent = text;
    if (place.dataset.pulse === "up") continue;
    place.classList.remove("moved");
    void place.offsetWidth; // begins the animation again
    place.classList.add("moved");
  }
  if (flooding && now.flooded >= read) {
    gauge(pressure, "sent", now.flooded);
    chart.add(now.flooded, read);
  }
  if (uploading) gauge($("#upload"), "taken", now.uploaded);
}

// Back-pressure: read, or do not.
const SPEED = 20 * 2 ** 20; // bytes a second: slow enough to be watched
let flooding = false;
let go = Promise.resolve();
let release = () => {};
let read = 0;
let chart;

const pressure = $("#pressure");
const start = $("[data-act=start]", pressure);
const stop = $("[data-act=pause]", pressure);

function rest() {
  stop.textContent = "Read on";
  go = new Promise((resolve) => { release = resolve; });
}

function readOn() {
  stop.textContent = "Stop reading";
  release();
}

async function flood() {
  start.disabled = true;
  stop.disabled = false;
  read = 0;
  chart = new Chart($(".chart", pressure), 64 * 2 ** 20);
  chart.add(0, 0);
  const shown = show(pressure, parse("GET /flood"));
  const response = await fetch("/flood");
  shown.head(response);
  await pause(0.3); // a pulse that tells of this flood, not of the last
  flooding = true;
  const pieces = response.body.getReader();
  for (;;) {
    await go;
    const { done, value } = await pieces.read();
    if (done) break;
    read += value.length;
    gauge(pressure, "read", read);
    await pause(value.length / SPEED);
  }
  shown.body(`${mebibytes(read)} of zeros.`);
  await pause(0.5); // the pulse's last word on it
  flooding = start.disabled = false;
  stop.disabled = true;
}

start.onclick = flood;
stop.onclick = () => (stop.textContent === "Read on" ? readOn() : rest());

async function firstFlood() {
  flood();
  await pause(1);
  rest();
  await pause(1.5);
  readOn();
}

// An upload that its handler takes slowly.  Only XMLHttpRequest tells its progress.
let uploading = false;

$("#upload [data-act=up]").onclick = ({ target }) => {
  const card = $("#upload");
  const path = "/upload?pause=8";
  const shown = show(card, parse(`POST ${path}`));
  const request = new XMLHttpRequest();
  uploading = target.disabled = true;
  request.upload.onprogress = (event) => gauge(card, "sent", event.loaded);
  request.onload = () => {
    gauge(card, "taken", JSON.parse(request.response).bytes);
    shown.head({ status: request.status, statusText: request.statusText, headers: [] });
    shown.body(request.response);
  };
  request.onloadend = () => { target.disabled = false; };
  request.onerror = () => shown.failed("The connection was lost.");
  request.open("POST", path);
  request.send(new Uint8Array(24 * 2 ** 20));
};

// Walking away.
$("#leave [data-act=leave]").onclick = async () => {
  const leaving = new AbortController();
  const told = call($("#leave"), parse("GET /patience"), leaving.signal);
  await pause(1.5);
  leaving.abort();
  await told;
};

// A hundred requests that change the same value of the same session.
$("#visits [data-act=hundred]").onclick = async ({ target }) => {
  target.disabled = true;
  const one = () => fetch("/visits", { method: "POST" });
  await one(); // which begins the session, if there is none
  await Promise.all(Array.from({ length: 99 }, one));
  await call($("#visits"), parse("GET /visits"));
  target.disabled = false;
};

// Bytes by hand.
const LETTERS = {
  "a request": "GET /notes/1 HTTP/1.1\nHost: here\n\n",
  "two at once": "GET /notes/1 HTTP/1.1\nHost: here\n\nDELETE /theme HTTP/1.1\nHost: here\n\n",
  "HTTP/1.0": "GET /pieces HTTP/1.0\n\n",
  "two lengths": "POST /notes HTTP/1.1\nHost: here\nContent-Length: 2\nContent-Length: 40\n\n{}",
  "a bad path": "GET /walks/2026/%C0%AF/x HTTP/1.1\nHost: here\n\n",
  "nonsense": "안녕하세요\n\n",
};

const hand = $("#hand");
const written = $("textarea", hand);

async function send() {
  // A text field ends its lines with LF, HTTP with CR LF.
  const body = written.value.replaceAll("\n", "\r\n");
  const shown = show(hand, parse("POST /by-hand"));
  const response = await fetch("/by-hand", { method: "POST", body });
  shown.raw(await response.text());
}

for (const [label, letter] of Object.entries(LETTERS)) {
  const button = document.createElement("button");
  button.textContent = label;
  button.onclick = () => {
    written.value = letter;
    return send();
  };
  $("#letters").append(button);
}
$("[data-act=send]", hand).onclick = send;

// At first every card shows something.
colours();
pulse();
written.value = LETTERS["two at once"];
send();
firstFlood();
share($("#board"));
for (const card of $$("[data-first]")) call(card, parse(card.dataset.first, card.dataset));
