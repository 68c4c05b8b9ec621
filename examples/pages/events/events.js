"use strict";

const MINUTE = 60_000; // milliseconds shown
const samples = []; // each as it came, with `caught`: it came after its stream was lost
let away = false; // the stream is lost
let catching = 0; // until when what comes was missed; on this page's clock
let farewell = false; // the server has said that it stops

const $ = (name) => document.getElementById(name);
const count = (name, more = 1) => { $(name).textContent = Number($(name).textContent) + more; };

// What EventSource does by itself: it comes back, and says what it has heard last.
const source = new EventSource("/pulse");
source.onopen = () => {
  if (away) catching = performance.now() + 150;
  away = farewell = false;
  show("open", "live");
};
source.onerror = () => {
  if (!away) count("lost");
  away = true;
  if (source.readyState === EventSource.CLOSED) show("lost", "closed for good");
  else if (!farewell) show("lost", "lost, coming back");
};
source.addEventListener("bye", () => {
  farewell = true;
  show("lost", "the server stops, coming back");
});
source.addEventListener("sample", (event) => {
  const sample = JSON.parse(event.data);
  sample.caught = performance.now() < catching;
  if (sample.caught) count("caught");
  samples.push(sample);
  while (samples[0].at < sample.at - MINUTE) samples.shift();
  count("heard");
  $("watching").textContent = sample.watching;
  $("busy").textContent = `${sample.busy} %`;
  $("late").textContent = `${sample.late} ms`;
  requestAnimationFrame(draw);
});

function show(state, words) {
  $("state").dataset.state = state;
  $("state").textContent = words;
}

const SVG = "http://www.w3.org/2000/svg";
for (let hour = 0; hour < 12; hour++) {
  const mark = document.createElementNS(SVG, "line");
  mark.setAttribute("y1", hour % 3 ? -42 : -40);
  mark.setAttribute("y2", -44);
  mark.setAttribute("transform", `rotate(${hour * 30})`);
  mark.classList.toggle("quarter", hour % 3 === 0);
  $("marks").append(mark);
}

function draw() {
  const last = samples.at(-1);
  tell(new Date(last.at));
  for (const canvas of document.querySelectorAll("canvas")) plot(canvas, last.at);
}

function tell(time) {
  const second = time.getSeconds() + time.getMilliseconds() / 1000;
  const minute = time.getMinutes() + second / 60;
  const hour = time.getHours() + minute / 60;
  $("second").setAttribute("transform", `rotate(${second * 6})`);
  $("minute").setAttribute("transform", `rotate(${minute * 6})`);
  $("hour").setAttribute("transform", `rotate(${hour * 30})`);
  $("time").textContent = time.toTimeString().slice(0, 8);
}

function plot(canvas, end) {
  const { plot: name, least, unit } = canvas.dataset;
  const ratio = devicePixelRatio, wide = canvas.clientWidth, high = canvas.clientHeight;
  if (canvas.width !== Math.round(wide * ratio)) {
    canvas.width = Math.round(wide * ratio);
    canvas.height = Math.round(high * ratio);
  }
  const pen = canvas.getContext("2d");
  pen.setTransform(ratio, 0, 0, ratio, 0, 0);
  pen.clearRect(0, 0, wide, high);
  const [accent, late, soft] = ["output", "em", "dt"].map(
    (of) => getComputedStyle(document.querySelector(of)).color,
  );
  const top = Math.max(Number(least), ...samples.map((each) => each[name])) * 1.15;
  const x = (each) => wide * (1 - (end - each.at) / MINUTE);
  const y = (each) => (high - 18) * (1 - each[name] / top) + 1;

  pen.font = "11px system-ui";
  pen.fillStyle = soft;
  pen.strokeStyle = soft;
  pen.lineWidth = 1;
  for (const part of [0, 0.5, 1]) {
    const level = (high - 18) * (1 - part / 1.15) + 1;
    pen.globalAlpha = 0.25;
    pen.beginPath();
    pen.moveTo(0, level);
    pen.lineTo(wide, level);
    pen.stroke();
    pen.globalAlpha = 1;
    if (part) pen.fillText(`${+(top / 1.15 * part).toFixed(1)} ${unit}`, 2, level - 4);
  }
  for (const seconds of [45, 30, 15]) {
    pen.fillText(`−${seconds} s`, wide * (1 - seconds / 60) - 12, high - 3);
  }

  pen.beginPath();
  pen.moveTo(x(samples[0]), high - 17);
  for (const each of samples) pen.lineTo(x(each), y(each));
  pen.lineTo(x(samples.at(-1)), high - 17);
  pen.globalAlpha = 0.12;
  pen.fillStyle = accent;
  pen.fill();
  pen.globalAlpha = 1;

  pen.lineWidth = 1.8;
  pen.lineJoin = "round";
  for (let at = 1; at < samples.length; at++) {
    const [one, two] = [samples[at - 1], samples[at]];
    pen.strokeStyle = two.caught ? late : accent;
    pen.beginPath();
    pen.moveTo(x(one), y(one));
    pen.lineTo(x(two), y(two));
    pen.stroke();
  }
  const last = samples.at(-1);
  pen.fillStyle = accent;
  pen.beginPath();
  pen.arc(x(last) - 3.5, Math.max(y(last), 3.5), 3.5, 0, 7);
  pen.fill();
}

$("cut").onclick = () => fetch("/cut", { method: "POST" });
addEventListener("resize", () => samples.length && requestAnimationFrame(draw));
