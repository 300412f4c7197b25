// The page as a whole: what stands at the top, what reacts, and newer data where there is any.
const SECONDS = Number(document.body.dataset.seconds || 0);

function counts() {
  const found = {};
  for (const state of D.state) found[state] = (found[state] || 0) + 1;
  return found;
}
function card(title, text) {
  const box = make("div", null, byId("cards"), "card");
  make("b", text, box); make("span", title, box);
}
function showSummary() {
  const n = counts(), t = D.timeline, starts = D.start.filter(s => s !== null);
  byId("title").textContent = D.exp_key === null ? "Search" : "Search " + D.exp_key;
  byId("cards").replaceChildren();
  if (D.best) card("lowest loss, of trial " + D.tid[D.best.row], num(D.loss[D.best.row]));
  card(["done", "failed", "cancelled", "running", "waiting"].filter(s => n[s]).map(s => n[s].toLocaleString("en") + " " + s).join(", ") || "none yet", count(D.tid.length, "trial"));
  if (t.bars.length) {
    card("from the first trial to the last", span(t.seconds));
    card("at a time, their slots " + Math.round(t.busy * 100) + " % busy", count(t.most, "trial"));
    const hosts = [...new Set(D.host.filter(h => h !== null))];
    if (hosts.length) card(hosts.length === 1 ? "where trials ran" : short(hosts.slice(0, 3).join(", "), 60), hosts.length === 1 ? hosts[0] : count(hosts.length, "host"));
    card("the first trial began (UTC)", time(starts.reduce((a, b) => Math.min(a, b))).slice(0, 16));
  }
  const body = document.createDocumentFragment();
  for (const p of D.parameters) {
    const line = make("tr", null, body);
    make("td", p.label, line); make("td", p.code || "not known", line); make("td", p.condition ? "where " + p.condition : "always", line);
  }
  byId("space").tBodies[0].replaceChildren(body);
  showBest();
}
function showBest() {
  const box = byId("best");
  box.replaceChildren();
  make("h3", "The best parameters", box);
  if (!D.best) return make("p", "No trial has a loss yet.", box, "note");
  const body = make("tbody", null, make("table", null, make("div", null, box, "wide")));
  for (const p of D.parameters) {
    const v = value(p, D.best.row);
    if (v === null) continue;
    const line = make("tr", null, body);
    make("th", p.label, line).scope = "row"; make("td", num(v), line);
  }
  const line = make("p", null, box);
  for (const [name, text] of [["Python", D.best.python], ["JSON", D.best.json]]) {
    const button = make("button", "Copy as " + name, line);
    button.type = "button"; button.id = "copy-" + name.toLowerCase();
    button.addEventListener("click", () => copy(button, text));
    line.append(" ");
  }
}
async function copy(button, text) {
  const before = button.textContent;
  try { await navigator.clipboard.writeText(text); } catch {
    // Pages of files and of other hosts may have no clipboard: selected text can be copied by hand.
    let box = byId("copied");
    if (!box) { box = make("pre", null, byId("best")); box.id = "copied"; box.tabIndex = 0; }
    box.textContent = text;
    getSelection().selectAllChildren(box);
    document.execCommand("copy");
  }
  button.textContent = "Copied";
  setTimeout(() => { button.textContent = before; }, 1500);
}
function legend(id, entries) {
  byId(id).replaceChildren();
  for (const [name, text] of entries) {
    const item = make("span", null, byId(id));
    make("i", null, item).style.background = colour(name);
    item.append(text);
  }
}
function showImportance() {
  const box = byId("importance");
  box.replaceChildren();
  const {shares, foretold} = D.importance;
  if (!shares.length) return make("p", "Ten trials with a loss are needed, and a space that is known.", box, "note");
  make("p", (foretold < 0.1 ? "It cannot be told yet: of" : "Of") + " the variance " + Math.round(foretold * 100) + " % can be foretold.", box, "note");
  const bars = make("div", null, box, foretold < 0.1 ? "bars pale" : "bars"), list = shares.slice(0, 25);
  const together = 1 - shares.reduce((sum, s) => sum + s[1], 0);
  if (shares.length > 1 && shares.some(s => s[1] > 0)) list.push(["several together", Math.max(0, together)]);
  const most = Math.max(0.01, ...list.map(s => s[1]));
  list.forEach(([label, share], i) => {
    make("span", label, bars, "name");
    const bar = make("i", null, make("span", null, bars, "track"));
    bar.style.width = share / most * 100 + "%";
    if (i >= shares.length || i >= 25) bar.style.background = colour("cancelled");
    make("span", share > 0 && share < 0.01 ? "< 1 %" : Math.round(share * 100) + " %", bars);
  });
}
function showPlots() {
  readColours();
  const n = counts(), states = ["done", "failed", "cancelled", "running", "waiting"].filter(s => n[s]), t = D.timeline;
  legend("history-legend", [...states.map(s => [s, s + " (" + n[s].toLocaleString("en") + ")"]), ...(D.best ? [["best", "best so far"]] : []),
    ...(D.history.band ? [["cancelled", "median of the last " + D.history.band.window + ", and where half of them are"]] : [])]);
  chart(byId("history"), drawHistory, "The loss of " + count(D.tid.length, "trial") + (D.best ? "; the lowest is " + num(D.loss[D.best.row]) : ""));
  const box = byId("slices");
  const names = D.parameters.map(p => p.label + "\n" + p.condition).join("\n\n");
  if (box.dataset.names !== names) {
    box.replaceChildren(); box.dataset.names = names;
    for (const p of D.parameters) {
      const figure = make("figure", null, box), text = make("figcaption", null, figure);
      make("b", p.label, text);
      if (p.condition) text.append(" where " + p.condition);
      make("canvas", null, figure).setAttribute("role", "img");
    }
  }
  D.parameters.forEach((p, i) => chart(box.children[i].querySelector("canvas"), drawSlice(p), p.label + " against the loss"));
  if (!D.parameters.length) box.textContent = "no parameters";
  showImportance();
  chart(byId("reached"), drawReached, "Share of trials that have reached a loss");
  byId("parallel-note").textContent = "A line for each of " + (D.lines.length === D.loss.filter(l => l !== null).length ? count(D.lines.length, "trial") : D.lines.length + " of the trials") + " with a loss, the best brightest. Where a parameter is not active, lines pass below its axis.";
  chart(byId("parallel"), drawParallel, "Configurations of trials, and their losses");
  byId("timeline-note").textContent = t.bars.length ? "A line for each slot; what is empty is time without a trial." : "";
  legend("timeline-legend", t.kinds.map(k => [k, k]));
  chart(byId("timeline"), drawTimeline, "When each trial ran, and on which host");
}
function showAll() {
  showSummary(); showPlots(); defineColumns();
  const chosen = byId("state").value, n = counts();
  byId("state").replaceChildren(new Option("all", ""), ...Object.keys(n).map(s => new Option(s + " (" + n[s] + ")", s)));
  byId("state").value = n[chosen] ? chosen : "";
  showHead(); choose();
  if (byId("trial").open && opened < D.tid.length) showTrial();
}
function say(text, isBad) {
  byId("status").textContent = text;
  byId("status").className = isBad ? "bad" : "";
}
let mark = null;
async function look() {
  try {
    const answer = await fetch("data.json", {cache: "no-store", headers: mark ? {"If-None-Match": mark} : {}});
    if (answer.status === 200) { D = await answer.json(); mark = answer.headers.get("ETag"); showAll(); }
    else if (answer.status !== 304) throw new Error(await answer.text());
    say("Live, as of " + new Date().toLocaleTimeString("en-GB") + ".", false);
  } catch (error) {
    say("Not up to date: " + (error instanceof TypeError ? "sparktuner watch does not answer" : error.message), true);
  }
  setTimeout(look, SECONDS * 1000);
}
byId("filters").addEventListener("submit", event => event.preventDefault());
for (const id of ["find", "state"]) byId(id).addEventListener("input", () => { first = 0; choose(); });
byId("previous").addEventListener("click", () => { first -= PAGE; showRows(); });
byId("next").addEventListener("click", () => { first += PAGE; showRows(); });
byId("before").addEventListener("click", () => openNext(-1));
byId("after").addEventListener("click", () => openNext(1));
byId("close").addEventListener("click", () => byId("trial").close());
byId("trial").addEventListener("close", () => window.history.replaceState(null, "", location.pathname + location.search));
byId("trial").addEventListener("keydown", event => {
  if (event.key === "ArrowLeft") openNext(-1);
  if (event.key === "ArrowRight") openNext(1);
});
window.addEventListener("hashchange", openLinked);
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", showAll);
let waiting = null;
window.addEventListener("resize", () => { clearTimeout(waiting); waiting = setTimeout(redraw, 100); });
showAll();
openLinked();
if (SECONDS) look(); else say("As of " + D.made.slice(0, 16).replace("T", " ") + " UTC.", false);
