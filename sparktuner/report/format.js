"use strict";
// What numbers, times and elements look like. Text of trials becomes text nodes, never markup.
const byId = id => document.getElementById(id);
let D = JSON.parse(byId("data").textContent);

function make(tag, text, parent, className) {
  const element = document.createElement(tag);
  if (text !== undefined && text !== null) element.textContent = text;
  if (className) element.className = className;
  if (parent) parent.append(element);
  return element;
}
function colour(name) {
  return getComputedStyle(document.documentElement).getPropertyValue("--" + name).trim();
}
function num(value) {
  if (typeof value !== "number") return value === null || value === undefined ? "" : String(value);
  if (Number.isInteger(value) && Math.abs(value) < 1e15) return String(value);
  return String(Number(value.toPrecision(6)));
}
function span(seconds) {
  if (seconds === null || seconds === undefined) return "";
  if (typeof seconds !== "number") return String(seconds);
  if (seconds < 60) return Number(seconds.toPrecision(3)) + " s";
  const units = [["d", 86400], ["h", 3600], ["min", 60], ["s", 1]];
  const first = units.findIndex(([, size]) => seconds >= size);
  const [large, size] = units[first], [small, less] = units[Math.min(first + 1, 3)];
  const rest = Math.floor((seconds % size) / less);
  return Math.floor(seconds / size) + " " + large + (rest ? " " + rest + " " + small : "");
}
function time(milliseconds) {
  return milliseconds === null ? "" : new Date(milliseconds).toISOString().slice(0, 19).replace("T", " ");
}
function count(n, noun) { return n.toLocaleString("en") + " " + noun + (n === 1 ? "" : "s"); }
function value(parameter, row) {
  const at = parameter.values[row];
  if (parameter.exact[row] !== undefined) return parameter.exact[row];
  if (at === null) return null;
  return parameter.options.length ? parameter.options[at] : at;
}
function short(text, most) {
  text = String(text);
  const half = Math.floor(most / 2);
  return text.length <= most ? text : text.slice(0, half) + "…" + text.slice(text.length - most + half + 1);
}
