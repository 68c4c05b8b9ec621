// One exchange, made and shown: what is asked, and what comes back, as it comes.

// Characters of a body that are shown.
const SHOWN = 4000;

function piece(tag, kind, text) {
  const made = document.createElement(tag);
  made.className = kind;
  made.textContent = text;
  return made;
}

export function mebibytes(bytes) {
  return `${(bytes / 2 ** 20).toFixed(1)} MiB`;
}

export function gauge(card, name, bytes) {
  card.querySelector(`[data-meter=${name}]`).value = bytes;
  card.querySelector(`[data-said=${name}]`).textContent = mebibytes(bytes);
}

// Shows the request in the card; returns what shows the answer.
export function show(card, { method, path, headers = {}, body }) {
  const asked = piece("pre", "ask", "");
  asked.append(piece("b", "", `${method} ${path}`));
  for (const [name, value] of Object.entries(headers)) asked.append(`\n${name}: ${value}`);
  if (body !== undefined) asked.append(`\n\n${body}`);
  const answer = piece("pre", "answer", "…");
  card.querySelector(".wire").replaceChildren(asked, answer);
  return {
    head(response) {
      const kind = `status s${Math.floor(response.status / 100)}`;
      const fields = [...response.headers].map(([name, value]) => `${name}: ${value}\n`);
      answer.replaceChildren(
        piece("span", kind, `${response.status} ${response.statusText}`),
        piece("span", "fields", `${fields.join("")}\n`),
      );
    },
    body(text) {
      const room = SHOWN - answer.textContent.length;
      if (room > 0) answer.append(text.slice(0, room));
      if (room > 0 && text.length > room) answer.append("\n…");
    },
    raw(text) {
      answer.replaceChildren();
      // One answer or several, each from its status line on.
      for (const one of text.split(/(?=HTTP\/1\.1 \d{3} )/)) {
        const [line, ...rest] = one.split("\r\n");
        answer.append(piece("span", `status s${line.slice(9, 10)}`, line), rest.join("\n"));
      }
    },
    failed(text) {
      answer.replaceChildren(piece("span", "status s0", text));
    },
  };
}

// Makes the request and shows the answer piece by piece.
export async function call(card, request, signal) {
  const shown = show(card, request);
  const { method, path, headers, body } = request;
  try {
    const response = await fetch(path, { method, headers, body, signal });
    shown.head(response);
    if (response.body === null) return;
    const pieces = response.body.pipeThrough(new TextDecoderStream()).getReader();
    for (;;) {
      const { done, value } = await pieces.read();
      if (done) break;
      shown.body(value);
    }
  } catch (error) {
    shown.failed(error.name === "AbortError" ? "You have left." : `${error}`);
  }
}

// What was sent and what was read over the time, and what is under way between them.
export class Chart {
  constructor(svg, most) {
    this.svg = svg;
    this.most = most; // bytes
    this.points = [];
  }

  add(sent, read) {
    const now = performance.now();
    this.begun ??= now;
    this.points.push({ at: now - this.begun, sent, read });
    const whole = Math.max(5000, now - this.begun); // milliseconds
    const line = (points, what) => points.map((point) =>
      `${(point.at / whole * 600).toFixed(1)} ${(195 - point[what] / this.most * 190).toFixed(1)}`);
    const sentLine = line(this.points, "sent");
    const readLine = line(this.points, "read");
    const draw = (kind, points) =>
      this.svg.querySelector(kind).setAttribute("d", `M${points.join("L")}`);
    draw(".sent", sentLine);
    draw(".read", readLine);
    draw(".between", [...sentLine, ...readLine.reverse()]);
  }
}
