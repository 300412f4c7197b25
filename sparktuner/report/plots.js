// The plots: losses, parameters, configurations, times.
function lossAxis() {
  const h = D.history;
  return {log: h.log, ends: h.ends || bounds(D.loss, h.log)};
}
function seenLoss(loss) { return D.history.top === null ? loss : Math.min(loss, D.history.top); }

function drawHistory(canvas) {
  if (!D.tid.length) return nothing(canvas, "no trials yet");
  const y = D.best ? lossAxis() : {ends: [0, 1], ticks: []};
  const f = frame(canvas, {ends: bounds(D.number), whole: true, name: "trial"}, y), ctx = f.ctx, spots = [];
  const size = D.tid.length > 2000 ? 1.7 : 3;
  const band = D.history.band;
  if (band) {
    const [low, middle, high] = band.quantiles, at = band.numbers.map(f.X);
    ctx.beginPath();
    at.forEach((x, i) => ctx.lineTo(x, Math.max(f.top, f.Y(high[i]))));
    for (let i = at.length - 1; i >= 0; i--) ctx.lineTo(at[i], f.Y(low[i]));
    ctx.globalAlpha = 0.22; ctx.fillStyle = colour("cancelled"); ctx.fill(); ctx.globalAlpha = 1;
  }
  const order = ["done", "failed", "cancelled", "running", "waiting"];
  for (const state of order) {
    ctx.fillStyle = ctx.strokeStyle = colour(state); ctx.lineWidth = 1.5;
    ctx.globalAlpha = state === "done" ? 0.75 : 1;
    for (let row = 0; row < D.tid.length; row++) {
      if (D.state[row] !== state) continue;
      const x = f.X(D.number[row]), loss = D.loss[row];
      const above = loss !== null && D.history.top !== null && loss > D.history.top;
      const at = loss === null ? f.bottom - 6 : above ? f.top + 4 : f.Y(loss);
      spots.push([x, at, row]);
      ctx.beginPath();
      if (loss === null) {
        ctx.moveTo(x - 3, at - 3); ctx.lineTo(x + 3, at + 3);
        if (state === "failed") { ctx.moveTo(x + 3, at - 3); ctx.lineTo(x - 3, at + 3); }
        ctx.stroke();
      } else if (above) { ctx.moveTo(x - 4, at + 4); ctx.lineTo(x + 4, at + 4); ctx.lineTo(x, at - 3); ctx.fill(); }
      else { ctx.arc(x, at, size, 0, 7); ctx.fill(); }
    }
  }
  ctx.globalAlpha = 1;
  if (!D.best) return spots;
  if (band) {
    ctx.beginPath(); ctx.strokeStyle = colour("soft");
    band.numbers.forEach((n, i) => ctx.lineTo(f.X(n), Math.max(f.top, f.Y(band.quantiles[1][i])))); ctx.stroke();
  }
  const [numbers, best] = D.history.best;
  ctx.beginPath(); ctx.strokeStyle = colour("best"); ctx.lineWidth = 2;
  numbers.forEach((n, i) => {
    if (i) ctx.lineTo(f.X(n), f.Y(seenLoss(best[i - 1])));
    ctx.lineTo(f.X(n), f.Y(seenLoss(best[i])));
  });
  ctx.lineTo(f.right, f.Y(seenLoss(best[best.length - 1]))); ctx.stroke();
  star(ctx, f.X(D.number[D.best.row]), f.Y(D.loss[D.best.row]));
  return spots;
}
function spread(parameter, row, width) {
  const at = parameter.values[row];
  return parameter.options.length && at !== null ? at + (((row + 1) * GOLDEN) % 1 - 0.5) * width : at;
}
function parameterAxis(p, rows) {
  if (p.options.length) {
    const step = Math.ceil(p.options.length / 8);
    return {ends: [-0.5, p.options.length - 0.5],
      ticks: p.options.map((text, i) => [i, short(text, 14)]).filter((_, i) => i % step === 0)};
  }
  const values = rows.map(row => p.values[row]).filter(v => v !== null);
  const log = p.log && values.every(v => v > 0) && values.length > 1;
  return {ends: bounds(values, log), log: log && new Set(values).size > 1};
}
function drawSlice(p) {
  return canvas => {
    const rows = [];
    for (let row = 0; row < D.tid.length; row++) if (D.loss[row] !== null && p.values[row] !== null) rows.push(row);
    if (!rows.length) return nothing(canvas, "no loss here yet");
    const f = frame(canvas, parameterAxis(p, rows), lossAxis()), spots = [];
    const size = rows.length > 2000 ? 1.4 : 2.6;
    f.ctx.globalAlpha = 0.8;
    for (const row of rows) {
      const x = f.X(spread(p, row, 0.6)), y = Math.max(f.top + 1, f.Y(seenLoss(D.loss[row])));
      f.ctx.fillStyle = shade(row / D.tid.length);
      f.ctx.beginPath(); f.ctx.arc(x, y, size, 0, 7); f.ctx.fill();
      spots.push([x, y, row]);
    }
    f.ctx.globalAlpha = 1;
    const best = D.best.row;
    if (p.values[best] !== null) star(f.ctx, f.X(spread(p, best, 0.6)), f.Y(D.loss[best]));
    return spots;
  };
}
function drawReached(canvas) {
  const [x, y] = D.reached;
  if (!x.length) return nothing(canvas, "no trial has a loss yet");
  const f = frame(canvas, {...lossAxis(), name: "loss"}, {ends: [0, 1.03], share: true});
  f.ctx.beginPath(); f.ctx.strokeStyle = colour("done"); f.ctx.lineWidth = 2;
  x.forEach((loss, i) => {
    const at = Math.min(f.right, f.X(loss));
    if (i) f.ctx.lineTo(at, f.Y(y[i - 1]));
    f.ctx.lineTo(at, f.Y(y[i]));
  });
  f.ctx.stroke();
  return [];
}
function drawParallel(canvas) {
  const rows = D.lines.slice().reverse();
  canvas.style.minWidth = Math.max(280, 90 * (D.parameters.length + 1)) + "px";
  if (!rows.length) return nothing(canvas, "no trial has a loss yet");
  const [ctx, width, height] = begin(canvas), top = 14, below = height - 34, bottom = below - 30;
  const loss = lossAxis();
  const columns = D.parameters.map(p => {
    const axis = parameterAxis(p, rows), Y = placer(axis, bottom, top);
    return {name: p.label, axis, at: row => p.values[row] === null ? below : Y(spread(p, row, 0.5))};
  });
  const place = placer(loss, bottom, top);
  columns.push({name: "loss", axis: loss, at: row => place(seenLoss(D.loss[row]))});
  const step = (width - 90) / Math.max(1, columns.length - 1), X = i => 64 + i * step;
  rows.forEach((row, i) => {
    const share = rows.length > 1 ? i / (rows.length - 1) : 1;
    ctx.strokeStyle = shade(share); ctx.globalAlpha = 0.15 + 0.75 * share * share;
    ctx.lineWidth = 0.8 + 1.2 * share ** 4;
    ctx.beginPath(); columns.forEach((c, k) => ctx.lineTo(X(k), c.at(row))); ctx.stroke();
  });
  ctx.globalAlpha = 1; ctx.lineWidth = 1.2;
  columns.forEach((c, k) => {
    ctx.strokeStyle = colour("text"); ctx.beginPath(); ctx.moveTo(X(k), top); ctx.lineTo(X(k), bottom); ctx.stroke();
    const Y = placer(c.axis, bottom, top);
    ctx.textAlign = "right"; ctx.textBaseline = "middle";
    for (const [v, text] of ticks(c.axis, 4)) {
      const y = Y(v), w = ctx.measureText(text).width;
      if (y < top - 1 || y > bottom + 1) continue;
      ctx.globalAlpha = 0.75; ctx.fillStyle = colour("ground"); ctx.fillRect(X(k) - w - 8, y - 8, w + 4, 16);
      ctx.globalAlpha = 1; ctx.fillStyle = colour("soft"); ctx.fillText(text, X(k) - 6, y);
    }
    ctx.fillStyle = colour("text"); ctx.textAlign = "center"; ctx.textBaseline = "top";
    ctx.fillText(short(c.name, Math.max(6, Math.floor(step / 7))), X(k), below + 8);
  });
  return [];
}
function drawTimeline(canvas) {
  const t = D.timeline, lanes = t.hosts.length;
  canvas.style.height = Math.min(640, Math.max(120, 56 + lanes * 22)) + "px";
  if (!t.bars.length) return nothing(canvas, "no trial has run yet");
  const [unit, name] = t.seconds >= 172800 ? [86400, "days"] : t.seconds >= 7200 ? [3600, "hours"] : t.seconds >= 180 ? [60, "minutes"] : [1, "seconds"];
  const names = [];
  for (let i = 0; i < lanes;) {
    let end = i; while (end < lanes && t.hosts[end] === t.hosts[i]) end++;
    names.push([(i + end - 1) / 2, short(t.hosts[i], canvas.getBoundingClientRect().width < 500 ? 12 : 22)]); i = end;
  }
  const every = Math.ceil(names.length / 20);
  const f = frame(canvas, {ends: [0, Math.max(t.seconds / unit, 1e-3)], name: name + " since the first trial began"},
    {ends: [lanes - 0.5, -0.5], ticks: names.filter((_, i) => i % every === 0)});
  const high = Math.max(1, (f.bottom - f.top) / lanes * 0.8), spots = [], gap = t.bars.length > 400 ? 0 : 1;
  for (const [row, start, end, lane, kind] of t.bars) {
    const left = f.X(start / unit), right = f.X(end / unit), y = f.Y(lane), wide = Math.max(0.7, right - left - gap);
    f.ctx.fillStyle = colours[t.kinds[kind]]; f.ctx.fillRect(left, y - high / 2, wide, high);
    spots.push([(left + right) / 2, y, row, (right - left) / 2, high / 2]);
  }
  return spots;
}
let colours = {};
function readColours() {
  for (const name of ["done", "failed", "cancelled", "running", "waiting", "retried"]) colours[name] = colour(name);
}
