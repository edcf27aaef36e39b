"use strict";
const trace = JSON.parse(document.getElementById("trace").textContent);
const get = (id) => document.getElementById(id);
const DASH = "\u2013", FOLDED = "\u25b8", OPENED = "\u25be";
const known = {}, arrived = {};
trace.steps.forEach((step, i) => { (step.phase === "forward" ? known : arrived)[step.quantity] = i; });
let at = -1, selected = null, level = 0, timer = null;

// What has no step of its own (an unnamed part, or one of very many) counts as known; its bar is known at the end.
const isKnown = (q) => !(q in known) || known[q] <= at;
const hasBar = (q) => (q in arrived ? arrived[q] : trace.steps.length - 1) <= at;
const panels = [...document.querySelectorAll("#drawing > div")];
const owners = trace.drawings.map((places) => {
  const found = {};
  Object.entries(places).forEach(([name, vertex]) => vertex.members.forEach((q) => { found[q] = name.slice(1); }));
  return found;
});

function activate(g, action) {
  g.addEventListener("click", action);
  g.addEventListener("keydown", (event) => { if (event.key === "Enter" || event.key === " ") { event.preventDefault(); action(); } });
}

panels.forEach((panel, i) => {
  const places = trace.drawings[i];
  panel.querySelectorAll("g.node").forEach((g) => {
    const name = g.querySelector("title").textContent;
    const vertex = places[name];
    g.querySelectorAll("title").forEach((title) => title.remove());
    if (!vertex) return;
    g.dataset.vertex = name;
    g.setAttribute("tabindex", "0");
    g.setAttribute("role", "button");
    g.setAttribute("aria-label", vertex.label);
    if (vertex.fold) g.setAttribute("aria-expanded", "false");
    const texts = [...g.querySelectorAll("text")];
    vertex.lines.forEach(([kind, , quantity], j) => {
      if (texts[j]) Object.assign(texts[j].dataset, { kind, quantity, text: texts[j].textContent });
    });
    if (vertex.fold && texts[0]) texts[0].dataset.text = texts[0].textContent = `${FOLDED} ${texts[0].textContent}`;
    const choose = () => { vertex.fold ? unfold(vertex) : select(vertex.members[0]); };
    activate(g, choose);
  });
  panel.querySelectorAll("g.edge title").forEach((title) => title.remove());
  panel.querySelectorAll("g.cluster").forEach((g) => {
    const title = g.querySelector("title");
    const path = title.textContent.replace(/^cluster_/, "");
    title.remove();
    const outside = trace.fold[path];
    if (outside === undefined || outside === i) return;
    g.dataset.module = path;
    g.setAttribute("tabindex", "0");
    g.setAttribute("role", "button");
    g.setAttribute("aria-label", `fold module ${path}`);
    g.setAttribute("aria-expanded", "true");
    const label = g.querySelector("text");
    if (label) label.textContent = `${OPENED} ${label.textContent}`;
    activate(g, () => { level = outside; show(); focusOn((v) => v.module === path); });
  });
});

const labelled = panels.filter((panel) => panel.dataset.label);
const buttons = panels.length > 1 ? labelled.map((panel, i) => {
  const button = document.createElement("button");
  button.textContent = panel.dataset.label;
  button.addEventListener("click", () => { level = i; show(); });
  get("levels").append(button);
  return button;
}) : [];

function unfold(vertex) {
  const inside = trace.open[vertex.module];
  level = inside === undefined || inside === level ? 0 : inside;
  const last = vertex.members[vertex.members.length - 1];
  select(last);
  focusOn((v) => v.members.includes(last));
}

function focusOn(wanted) {
  const found = Object.entries(trace.drawings[level]).find(([, vertex]) => wanted(vertex));
  const g = found && panels[level].querySelector(`g.node[data-vertex="${found[0]}"]`);
  if (g) g.focus();
}

function select(q) {
  selected = q;
  show();
}

function go(step) {
  at = Math.max(-1, Math.min(trace.steps.length - 1, step));
  if (at >= 0) selected = trace.steps[at].quantity;
  if (at === trace.steps.length - 1) stop();
  show();
}

function stop() {
  clearInterval(timer);
  timer = null;
  get("play").textContent = "Play";
  get("play").setAttribute("aria-pressed", "false");
}

function play() {
  if (timer !== null) { stop(); return; }
  if (at === trace.steps.length - 1) go(-1);
  timer = setInterval(() => go(at + 1), 1200);
  get("play").textContent = "Pause";
  get("play").setAttribute("aria-pressed", "true");
}

function sentence(step) {
  const value = step.equation.endsWith(` = ${step.value}`) ? "" : step.value;
  return [step.equation, step.numbers, value].filter((part) => part).join(" = ");
}

function show() {
  const step = trace.steps[at];
  const before = at < 0 ? "Start: only what is given is known. Next: right arrow." : `Step ${at + 1} of ${trace.steps.length}, ${step.phase} pass: ${sentence(step)}`;
  if (get("now").textContent !== before) get("now").textContent = before;
  get("position").textContent = `${at + 1} / ${trace.steps.length}`;
  get("first").disabled = get("previous").disabled = at < 0;
  get("next").disabled = get("last").disabled = at === trace.steps.length - 1;
  panels.forEach((panel, i) => { panel.hidden = i !== level; if (i === level) draw(panel, i, step); });
  buttons.forEach((button, i) => button.setAttribute("aria-pressed", String(i === level)));
  details();
  document.querySelectorAll("#steps tr[aria-current]").forEach((row) => row.removeAttribute("aria-current"));
  if (step) get(`step${at}`).setAttribute("aria-current", "step");
}

function draw(panel, place, step) {
  const places = trace.drawings[place], owner = owners[place];
  const consumers = step && step.phase === "backward" ? step.consumers : [];
  const flowing = new Set(consumers.map((consumer) => `e${owner[step.quantity]}-${owner[consumer]}`));
  panel.querySelectorAll("g.node").forEach((g) => {
    const vertex = places[g.dataset.vertex];
    if (!vertex) return;
    const current = step && vertex.members.includes(step.quantity);
    g.classList.toggle("current", Boolean(current));
    g.classList.toggle("selected", vertex.members.includes(selected));
    g.classList.toggle("later", !vertex.members.some(isKnown));
    g.querySelectorAll("text").forEach((text) => {
      const { kind, quantity, text: full } = text.dataset;
      if (full === undefined) return;
      const visible = kind === "value" ? isKnown(quantity) : kind === "bar" ? hasBar(quantity) : true;
      const [start, ...rest] = full.split(" = ");
      text.textContent = visible ? full : rest.length ? `${start} = ${DASH}` : DASH;
    });
    if (current) bringIntoView(g);
  });
  panel.querySelectorAll("g.edge").forEach((g) => {
    const name = [...g.classList].find((c) => /^e\d+-\d+$/.test(c));
    if (!name) return;
    g.classList.toggle("flowing", flowing.has(name));
    const end = places[`v${name.split("-")[1]}`];
    g.classList.toggle("later", Boolean(end) && !end.members.some(hasBar));
  });
}

// Scrolls the drawing, not the page, and only where the vertex cannot be seen.
function bringIntoView(g) {
  const frame = get("drawing"), outer = frame.getBoundingClientRect(), inner = g.getBoundingClientRect();
  if (inner.top < outer.top || inner.bottom > outer.bottom) frame.scrollTop += (inner.top + inner.bottom - outer.top - outer.bottom) / 2;
  if (inner.left < outer.left || inner.right > outer.right) frame.scrollLeft += (inner.left + inner.right - outer.left - outer.right) / 2;
}

function details() {
  const box = get("details");
  box.replaceChildren();
  if (selected === null) { box.textContent = "Choose a quantity in the drawing, or step."; return; }
  const q = trace.quantities[selected];
  const list = document.createElement("dl");
  const add = (name, text) => {
    if (!text) return;
    const term = document.createElement("dt"), value = document.createElement("dd");
    term.textContent = name;
    value.textContent = text;
    list.append(term, value);
  };
  const of = (phase) => trace.steps.find((s) => s.quantity === selected && s.phase === phase);
  const forward = of("forward"), backward = of("backward");
  add("quantity", `${q.name} (${q.kind})`);
  add("shape", q.shape);
  add("value", isKnown(selected) ? q.value : DASH);
  add("computed by", forward && (isKnown(selected) ? sentence(forward) : forward.equation));
  add("elements", forward && forward.sums);
  if (backward) {
    add("bar", hasBar(selected) ? backward.value : DASH);
    add("rule", hasBar(selected) ? sentence(backward) : backward.equation);
    add("its elements", backward.sums);
    add("from its consumers", hasBar(selected) ? backward.shares.map(([name, share]) => `${name}: ${share}`).join(", ") : DASH);
  } else add("bar", q.why);
  add("module", q.module);
  add("source", q.line);
  add("finite differences", q.verdict);
  box.append(list);
}

get("first").addEventListener("click", () => go(-1));
get("previous").addEventListener("click", () => go(at - 1));
get("next").addEventListener("click", () => go(at + 1));
get("last").addEventListener("click", () => go(trace.steps.length - 1));
get("play").addEventListener("click", play);
get("fit").addEventListener("click", () => {
  get("fit").setAttribute("aria-pressed", String(get("drawing").classList.toggle("whole")));
});
document.addEventListener("keydown", (event) => {
  if (event.altKey || event.ctrlKey || event.metaKey) return;
  const actions = { ArrowRight: () => go(at + 1), ArrowLeft: () => go(at - 1), Home: () => go(-1), End: () => go(trace.steps.length - 1), p: play };
  const action = actions[event.key];
  if (action) { event.preventDefault(); action(); }
});
document.querySelectorAll("#steps tbody tr").forEach((row, i) => row.addEventListener("click", () => go(i)));
show();
