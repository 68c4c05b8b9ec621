"use strict";

// The room and the name are in the address, so that a page can be loaded again.
const asked = new URLSearchParams(location.search);
const room = asked.get("room") || "tea";
const ROOMS = ["tea", "coffee", "찻집"];
const NAMES = ["Otter", "Magpie", "Crane", "Hedgehog", "호랑이", "까치", "수달", "고래"];

const said = document.querySelector("#said");
const state = document.querySelector("#state");
const { name, text } = document.querySelector("#say").elements;

let socket = null;
let me = null; // who the server says we are, while we are connected
let last = null; // who spoke last
let pause = 250; // ms until the next attempt to connect

function element(kind, content, ...classes) {
  const made = document.createElement(kind);
  made.append(content);
  made.classList.add(...classes);
  return made;
}

function worker(number) {
  const made = element("span", `worker ${number}`, "worker");
  made.dataset.worker = number;
  return made;
}

function show(made) {
  const below = said.scrollHeight - said.scrollTop - said.clientHeight < 80;
  said.append(made);
  while (said.childElementCount > 500) said.firstElementChild.remove();
  if (below) said.scrollTop = said.scrollHeight;
}

function tell(...content) {
  const made = element("div", "", "news");
  made.append(...content);
  last = null;
  show(made);
}

const TOLD = {
  you(news) {
    me = news.identity;
    state.replaceChildren("here by way of ", worker(news.worker));
    state.className = "open";
  },
  came: (news) => tell(`${news.who} came in `, worker(news.worker)),
  left: (news) => tell(`${news.who} has left`),
  said(news) {
    const made = element("div", "", "bubble");
    const head = element("small", element("b", news.who));
    head.append(worker(news.worker));
    made.append(head, element("p", news.text));
    made.classList.toggle("mine", news.identity === me);
    made.classList.toggle("again", news.identity === last);
    last = news.identity;
    show(made);
  },
};

function connect() {
  const url = new URL(`/rooms/${encodeURIComponent(room)}`, location.href);
  url.protocol = url.protocol.replace("http", "ws");
  url.searchParams.set("name", name.value);
  const opened = new WebSocket(url);
  socket = opened;
  opened.onopen = () => { pause = 250; };
  opened.onmessage = (event) => {
    const news = JSON.parse(event.data);
    TOLD[news.kind](news);
  };
  // A worker that stops, or has died, takes its sockets along: the next one is another's.
  opened.onclose = (event) => {
    if (socket !== opened) return;
    state.replaceChildren(`not connected (${event.code}), trying again`);
    state.className = "";
    setTimeout(connect, pause * (0.5 + Math.random()));
    pause = Math.min(pause * 2, 8000);
  };
}

function remember() {
  const address = new URL(location.href);
  address.searchParams.set("room", room);
  address.searchParams.set("name", name.value);
  history.replaceState(null, "", address);
  document.querySelector("#rooms").replaceChildren(...ROOMS.map((one) => {
    const link = element("a", one);
    link.href = `/?${new URLSearchParams({ room: one, name: name.value })}`;
    if (one === room) link.setAttribute("aria-current", "page");
    return link;
  }));
}

document.querySelector("#say").onsubmit = (event) => {
  event.preventDefault();
  if (text.value === "" || socket.readyState !== WebSocket.OPEN) return;
  socket.send(text.value);
  text.value = "";
};

// Another name is another person: the old one leaves.
name.onchange = () => {
  remember();
  const before = socket;
  connect();
  before.close();
};

// A browser may keep a page that was left, socket and all, for whoever comes back to it.
addEventListener("pagehide", () => {
  const before = socket;
  socket = null;
  before.close();
});
addEventListener("pageshow", (event) => {
  if (event.persisted) connect();
});

document.querySelector("#room").textContent = room;
document.title = `# ${room}`;
name.value = asked.get("name") || NAMES[Math.floor(Math.random() * NAMES.length)];
remember();
connect();
