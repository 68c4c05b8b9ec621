// A board that all pages share: what is drawn goes to the server, and comes from there.

const FADING = 20_000; // milliseconds that a line can be seen

// Of a worker, as numbers on the wheel of colours.
const HUES = [174, 32, 268, 338];

export function share(card) {
  const canvas = card.querySelector("canvas");
  const hint = card.querySelector(".hint");
  const brush = canvas.getContext("2d");
  const ends = new Map(); // where the line of each painter is
  const sent = []; // when each of our dots has left
  let lines = [];
  let socket = null;
  let me = null;

  function draw() {
    const now = performance.now();
    const { width, height } = canvas;
    lines = lines.filter((line) => now - line.at < FADING);
    brush.clearRect(0, 0, width, height);
    for (const { from, to, hue, at } of lines) {
      brush.strokeStyle = `hsl(${hue} 70% 48% / ${1 - (now - at) / FADING})`;
      brush.beginPath();
      brush.moveTo(from.x / 1000 * width, from.y / 1000 * height);
      brush.lineTo(to.x / 1000 * width, to.y / 1000 * height);
      brush.stroke();
    }
    if (lines.length > 0) requestAnimationFrame(draw);
  }

  function fit() {
    const ratio = window.devicePixelRatio;
    canvas.width = canvas.clientWidth * ratio;
    canvas.height = canvas.clientHeight * ratio;
    brush.lineWidth = 3 * ratio;
    brush.lineCap = "round";
  }

  function dot(who, worker, x, y, first) {
    if (who === me) {
      const took = performance.now() - sent.shift();
      hint.textContent = `By way of worker ${worker}: there and back in ${took.toFixed(1)} ms.`;
    } else {
      card.dataset.others = Number(card.dataset.others ?? 0) + 1;
    }
    const to = { x, y };
    if (!first && ends.has(who)) {
      const line = { from: ends.get(who), to, hue: HUES[worker % 4], at: performance.now() };
      if (lines.push(line) === 1) requestAnimationFrame(draw);
    }
    ends.set(who, to);
  }

  function connect() {
    const opened = new WebSocket(new URL("/board", location.href.replace(/^http/, "ws")));
    socket = opened;
    opened.onmessage = ({ data }) => {
      const news = JSON.parse(data);
      if (news.length > 2) return dot(...news);
      me = news[0];
      sent.length = 0;
      card.dataset.worker = news[1];
      hint.textContent = `Your WebSocket has come to worker ${news[1]}.`;
      flourish();
    };
    opened.onclose = () => {
      hint.textContent = "Not connected; trying again.";
      delete card.dataset.worker;
      setTimeout(connect, 500 + 1500 * Math.random());
    };
  }

  function say(x, y, first) {
    if (me === null || socket.readyState !== WebSocket.OPEN) return;
    const within = (value) => Math.round(Math.min(Math.max(value, 0), 1) * 1000);
    sent.push(performance.now());
    socket.send(JSON.stringify([within(x), within(y), first]));
  }

  // Whoever comes draws a wave, so that there is something to see.
  function flourish() {
    const high = 0.3 + 0.4 * Math.random();
    let at = 0;
    const step = () => {
      say(0.05 + at / 67, high + 0.12 * Math.sin(at / 4), at === 0);
      if (++at <= 60) setTimeout(step, 12);
    };
    step();
  }

  let drawing = false;
  const point = (event, first) =>
    say(event.offsetX / canvas.clientWidth, event.offsetY / canvas.clientHeight, first);
  canvas.onpointerdown = (event) => {
    drawing = true;
    canvas.setPointerCapture(event.pointerId);
    point(event, true);
  };
  canvas.onpointermove = (event) => { if (drawing) point(event, false); };
  canvas.onpointerup = canvas.onpointercancel = () => { drawing = false; };

  new ResizeObserver(fit).observe(canvas);
  connect();
}
