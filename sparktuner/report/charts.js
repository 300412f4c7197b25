// Drawing in canvases: thousands of points at once, in the colours of the page.
const GOLDEN = (Math.sqrt(5) - 1) / 2;
const charts = new Map();

function shade(share) {  // from low to high, seen on light and dark grounds
  const stops = [[126, 3, 168], [204, 71, 120], [248, 149, 64]];
  const at = Math.min(Math.max(share, 0), 0.999) * 2, i = Math.floor(at), part = at - i;
  return "rgb(" + stops[i].map((c, k) => Math.round(c + (stops[i + 1][k] - c) * part)).join(",") + ")";
}
function bounds(values, log) {
  let low = Infinity, high = -Infinity;
  for (const v of values) if (v !== null) { if (v < low) low = v; if (v > high) high = v; }
  if (low > high) return [0, 1];
  if (low === high) { const room = Math.abs(low) / 2 || 1; return [low - room, high + room]; }
  if (log && low > 0) { const room = (high / low) ** 0.03; return [low / room, high * room]; }
  const room = high / 30 - low / 30;
  return [low - room, high + room];
}
// Halved, so that no difference overflows.
function placer(axis, from, to) {
  const f = axis.log ? Math.log : v => v;
  const low = f(axis.ends[0]) / 2, width = f(axis.ends[1]) / 2 - low || 1;
  return v => from + (f(v) / 2 - low) / width * (to - from);
}
function ticks(axis, most) {
  const [low, high] = axis.ends;
  if (axis.ticks) return axis.ticks;
  const found = [];
  if (axis.log) {
    const first = Math.ceil(Math.log10(low)), last = Math.floor(Math.log10(high));
    const step = Math.max(1, Math.ceil((last - first + 1) / most));
    for (let e = first; e <= last; e += step) found.push(10 ** e);
    if (found.length < 2) { found.length = 0; for (let i = 0; i < 3; i++) found.push(low * (high / low) ** ((i + 0.5) / 3)); }
  } else {
    const rough = (high / most - low / most), power = 10 ** Math.floor(Math.log10(rough));
    let step = [1, 2, 5, 10].map(k => k * power).find(s => s >= rough);
    // One mark alone says nothing of how wide the axis is.
    if (Math.floor(high / step) - Math.ceil(low / step) < 1) step = [0.2, 0.5, 1, 2, 5].map(k => k * power).filter(s => s <= rough / 1.5).pop();
    if (axis.whole) step = Math.max(1, step);
    if (!(step > 0 && isFinite(step)) || Math.abs(low / step) > 1e9) return [[low, num3(low)], [high, num3(high)]];
    for (let i = Math.ceil(low / step); i * step <= high; i++) found.push(i * step);
  }
  return found.map(v => [v, axis.share ? Math.round(v * 100) + " %" : num3(v)]);
}
function num3(v) { return String(Number(v.toPrecision(3))).replace("e+", "e"); }

function begin(canvas) {
  const box = canvas.getBoundingClientRect(), dense = window.devicePixelRatio || 1;
  canvas.width = Math.round(box.width * dense);
  canvas.height = Math.round(box.height * dense);
  const ctx = canvas.getContext("2d");
  ctx.scale(dense, dense);
  ctx.font = "12px system-ui, sans-serif";
  ctx.clearRect(0, 0, box.width, box.height);
  return [ctx, box.width, box.height];
}
// Draws a frame with axes; returns where values are.
function frame(canvas, x, y) {
  const [ctx, width, height] = begin(canvas);
  const marks = ticks(y, 5);
  const left = Math.min(150, 14 + Math.max(24, ...marks.map(m => ctx.measureText(m[1]).width)));
  const area = {left, right: width - 12, top: 8, bottom: height - (x.name ? 38 : 22)};
  const X = placer(x, area.left, area.right), Y = placer(y, area.bottom, area.top);
  ctx.strokeStyle = colour("line"); ctx.fillStyle = colour("soft"); ctx.lineWidth = 1;
  ctx.textAlign = "right"; ctx.textBaseline = "middle";
  for (const [v, text] of marks) {
    const at = Y(v);
    if (at < area.top - 1 || at > area.bottom + 1) continue;
    ctx.beginPath(); ctx.moveTo(area.left, at); ctx.lineTo(area.right, at); ctx.stroke();
    ctx.fillText(text, area.left - 6, at);
  }
  ctx.textBaseline = "top";
  let last = -Infinity;
  for (const [v, text] of ticks(x, Math.max(2, Math.floor((area.right - area.left) / 64)))) {
    const half = ctx.measureText(text).width / 2, at = X(v);
    const centre = Math.min(Math.max(at, half), width - half);
    if (at < area.left - 1 || at > area.right + 1 || centre - half < last + 8) continue;
    last = centre + half;
    ctx.textAlign = "center"; ctx.fillText(text, centre, area.bottom + 5);
    ctx.beginPath(); ctx.moveTo(at, area.bottom); ctx.lineTo(at, area.bottom + 3); ctx.stroke();
  }
  if (x.name) { ctx.textAlign = "center"; ctx.fillText(x.name, (area.left + area.right) / 2, area.bottom + 20); }
  return {ctx, X, Y, ...area};
}
function star(ctx, x, y) {
  ctx.beginPath();
  for (let i = 0; i < 10; i++) {
    const r = i % 2 ? 3.5 : 8, a = Math.PI * (i / 5 - 0.5);
    ctx.lineTo(x + r * Math.cos(a), y + r * Math.sin(a));
  }
  ctx.closePath();
  ctx.fillStyle = colour("best"); ctx.strokeStyle = colour("text"); ctx.lineWidth = 1;
  ctx.fill(); ctx.stroke();
}
function nothing(canvas, text) {
  const [ctx, width, height] = begin(canvas);
  ctx.fillStyle = colour("soft"); ctx.textAlign = "center";
  ctx.fillText(text, width / 2, height / 2);
  return [];
}
// Keeps how a canvas is drawn; `draw` returns what is there: [x, y, row, radius or half width].
function chart(canvas, draw, label) {
  canvas.setAttribute("aria-label", label);
  const known = charts.get(canvas);
  const entry = {draw, spots: draw(canvas)};
  charts.set(canvas, entry);
  if (known) return;
  const tip = byId("tip");
  canvas.addEventListener("pointermove", event => {
    const row = nearest(canvas, event);
    canvas.style.cursor = row === null ? "" : "pointer";
    tip.hidden = row === null;
    if (row === null) return;
    tip.textContent = "trial " + D.tid[row] + ", " + D.state[row] + (D.loss[row] === null ? "" : "\nloss " + num(D.loss[row]));
    tip.style.left = Math.min(event.clientX + 12, innerWidth - tip.offsetWidth - 4) + "px";
    tip.style.top = Math.min(event.clientY + 12, innerHeight - tip.offsetHeight - 4) + "px";
  });
  canvas.addEventListener("pointerleave", () => { tip.hidden = true; });
  canvas.addEventListener("click", event => {
    const row = nearest(canvas, event);
    tip.hidden = true;
    if (row !== null) openTrial(row);
  });
}
function nearest(canvas, event) {
  const box = canvas.getBoundingClientRect(), x = event.clientX - box.left, y = event.clientY - box.top;
  let row = null, least = 1;
  for (const [sx, sy, r, w, h] of charts.get(canvas).spots) {
    const d = Math.max(0, Math.abs(x - sx) - (w || 0)) / 10, e = Math.max(0, Math.abs(y - sy) - (h || 0)) / 10;
    if (d * d + e * e < least) { least = d * d + e * e; row = r; }
  }
  return row;
}
function redraw() {
  for (const [canvas, entry] of charts) {
    if (canvas.isConnected) entry.spots = entry.draw(canvas); else charts.delete(canvas);
  }
}
