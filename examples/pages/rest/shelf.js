"use strict";

const shelf = document.querySelector("#shelf");
const said = document.querySelector("#said");
const form = document.querySelector("#new");

// One request to the resource: a method, a path, and what it carries as JSON.
async function ask(method, path, value) {
  const body = value === undefined ? undefined : JSON.stringify(value);
  const response = await fetch(path, { method, body });
  const text = await response.text();
  said.textContent = `${method} ${path} → ${response.status}`;
  if (!response.ok) throw new Error(text);
  return text === "" ? null : JSON.parse(text);
}

function button(label, act) {
  const made = document.createElement("button");
  made.textContent = label;
  made.onclick = async () => {
    await act();
    await list();
  };
  return made;
}

function row(tea) {
  const path = `/teas/${tea.number}`;
  const name = document.createElement("b");
  name.textContent = `${tea.name}, ${tea.minutes} min`;
  const item = document.createElement("li");
  item.id = `tea-${tea.number}`;
  item.classList.toggle("liked", tea.liked);
  item.append(
    name,
    button("like", () => ask("PATCH", path, { liked: !tea.liked })),
    button("replace", () => ask("PUT", path, { name: form.elements.name.value || "물", minutes: 1 })),
    button("drink", () => ask("DELETE", path)),
  );
  return item;
}

async function list() {
  const teas = await (await fetch("/teas")).json();
  shelf.replaceChildren(...teas.map(row));
}

form.onsubmit = async (event) => {
  event.preventDefault();
  const { name, minutes } = form.elements;
  await ask("POST", "/teas", { name: name.value, minutes: Number(minutes.value) });
  form.reset();
  await list();
};

list();
