// The table of all trials, and the details of one.
const PAGE = 50;
let columns = [], rows = [], first = 0, sorted = {name: "trial", down: false};

function defineColumns() {
  columns = [
    {name: "trial", of: r => D.tid[r]}, {name: "state", of: r => D.state[r]}, {name: "loss", of: r => D.loss[r]},
    ...D.parameters.map(p => ({name: p.label, of: r => value(p, r), key: r => p.values[r], options: p.options.length})),
    ...Object.entries(D.results).map(([name, cells]) => ({name, of: r => cells[r]})),
    {name: "duration", of: r => D.duration[r], show: span}, {name: "started", of: r => D.start[r], show: time},
    {name: "host", of: r => D.host[r]}, {name: "error", of: r => D.error[r]},
  ];
}
function shown(column, row) {
  const cell = column.of(row);
  return cell === null || cell === undefined ? "" : column.show ? column.show(cell) : num(cell);
}
// `loss<0.5` compares with a column; any other word is looked for in all cells.
function condition(word) {
  const parts = /^(.+?)(<=|>=|=|<|>)(.+)$/.exec(word);
  const column = parts && columns.find(c => c.name.toLowerCase() === parts[1].toLowerCase());
  if (!column) return row => columns.some(c => shown(c, row).toLowerCase().includes(word.toLowerCase()));
  const [, , sign, text] = parts, limit = Number(text);
  if (sign === "=") return row => shown(column, row).toLowerCase() === text.toLowerCase() || column.of(row) === limit;
  const holds = {"<": v => v < limit, ">": v => v > limit, "<=": v => v <= limit, ">=": v => v >= limit}[sign];
  return row => typeof column.of(row) === "number" && holds(column.of(row));
}
function compare(a, b) {
  const none = v => v === null || v === undefined || v === "";
  if (none(a) || none(b)) return none(a) - none(b);  // at the end, whichever way
  if (typeof a === "number" && typeof b === "number") return sorted.down ? b - a : a - b;
  const order = String(a).localeCompare(String(b), "en", {numeric: true});
  return sorted.down ? -order : order;
}
function choose() {
  const words = byId("find").value.trim().split(/\s+/).filter(w => w).map(condition), state = byId("state").value;
  const column = columns.find(c => c.name === sorted.name) || columns[0];
  const key = column.options || !column.key ? column.of : column.key;
  rows = [];
  for (let row = 0; row < D.tid.length; row++) {
    if ((!state || D.state[row] === state) && words.every(holds => holds(row))) rows.push(row);
  }
  rows.sort((a, b) => compare(key(a), key(b)) || a - b);
  first = Math.min(first, Math.max(0, Math.floor((rows.length - 1) / PAGE) * PAGE));
  byId("found").textContent = rows.length === D.tid.length ? count(rows.length, "trial") : rows.length.toLocaleString("en") + " of " + count(D.tid.length, "trial");
  showRows();
}
function showHead() {
  const line = document.createElement("tr");
  for (const column of columns) {
    const cell = make("th", null, line), isSorted = column.name === sorted.name;
    cell.scope = "col";
    cell.setAttribute("aria-sort", isSorted ? sorted.down ? "descending" : "ascending" : "none");
    const button = make("button", column.name + (isSorted ? sorted.down ? " ▼" : " ▲" : ""), cell);
    button.type = "button"; button.title = column.name;
    button.addEventListener("click", () => {
      sorted = {name: column.name, down: column.name === sorted.name && !sorted.down};
      first = 0; showHead(); choose();
      byId("table").tHead.rows[0].cells[columns.findIndex(c => c.name === column.name)].firstChild.focus();
    });
  }
  byId("table").tHead.replaceChildren(line);
}
function stateMark(parent, state) {
  const mark = make("span", null, parent, "state");
  make("i", null, mark).style.background = colour(state);
  mark.append(state);
}
function showRows() {
  const body = document.createDocumentFragment();
  for (const row of rows.slice(first, first + PAGE)) {
    const line = make("tr", null, body, D.best && row === D.best.row ? "best" : "");
    line.addEventListener("click", () => openTrial(row));
    columns.forEach((column, i) => {
      if (i === 1) return stateMark(make("td", null, line), D.state[row]);
      const text = shown(column, row), cell = make("td", i ? text : null, line);
      if (!i) { const b = make("button", text, cell, "row-link"); b.type = "button"; b.setAttribute("aria-label", "Details of trial " + text); }
      else if (text.length > 30) cell.title = text;
    });
  }
  byId("table").tBodies[0].replaceChildren(body);
  const end = Math.min(first + PAGE, rows.length);
  byId("where").textContent = rows.length ? (first + 1) + " to " + end + " of " + rows.length : "no trial is like this";
  byId("previous").disabled = first === 0;
  byId("next").disabled = end >= rows.length;
  byId("pages").hidden = rows.length > 0 && rows.length <= PAGE;
}
let opened = null;
function pairs(title, entries, parent) {
  entries = entries.filter(([, v]) => v !== null && v !== undefined && v !== "");
  if (!entries.length) return;
  make("h3", title, parent);
  const body = make("tbody", null, make("table", null, parent));
  for (const [name, v] of entries) {
    const line = make("tr", null, body);
    make("th", name, line).scope = "row";
    make("td", typeof v === "number" ? String(v) : v, line);
  }
}
function showTrial() {
  const row = opened, body = document.createDocumentFragment();
  byId("trial-title").textContent = "Trial " + D.tid[row] + (D.best && D.best.row === row ? ", the best" : "");
  stateMark(make("p", null, body), D.state[row]);
  pairs("Parameters", D.parameters.map(p => [p.label, value(p, row)]), body);
  pairs("Result", [["loss", D.loss[row]], ...Object.entries(D.results).map(([k, cells]) => [k, cells[row]])], body);
  pairs("Where and when", [["host", D.host[row]], ["started (UTC)", time(D.start[row])],
    ["duration", span(D.duration[row])], ["attempts", D.attempts[row]]], body);
  if (D.error[row] !== null) {
    make("h3", D.error[row], body);
    if (D.traceback[row] !== null) make("pre", D.tracebacks[D.traceback[row]], body).tabIndex = 0;
  }
  byId("trial-body").replaceChildren(body);
  const at = rows.indexOf(row);
  byId("before").disabled = at <= 0;
  byId("after").disabled = at < 0 || at >= rows.length - 1;
}
function openTrial(row) {
  opened = row; showTrial();
  if (!byId("trial").open) byId("trial").showModal();
  byId("trial").scrollTop = 0;
  window.history.replaceState(null, "", "#trial-" + encodeURIComponent(D.tid[row]));
}
function openNext(step) {
  const at = rows.indexOf(opened) + step;
  if (rows[at] !== undefined && rows.includes(opened)) openTrial(rows[at]);
}
function openLinked() {
  const name = location.hash.startsWith("#trial-") ? decodeURIComponent(location.hash.slice(7)) : null;
  const row = name === null ? -1 : D.tid.findIndex(tid => String(tid) === name);
  if (row >= 0) openTrial(row);
}
