// Renders a step or a state of the session from the templates in the page, without the server.
import { renderEnds } from "./end-times.js";

const STEP_PARTS = ["step-figure", "step-hand", "step-words", "step-lines"];
const BAR_WIDTH = 1000;
const BAR_GAP = 6;
const TOGGLES = ["start", "pause", "resume"];
const WORD_SIZES = [1, 0.92, 0.85, 0.78, 0.7];

const pad = (n) => String(n).padStart(2, "0");
export const clockText = (s) => `${Math.floor(s / 60)}:${pad(s % 60)}`;

/** Puts step `id` into the live part; returns the data of its template, null without one. */
export function renderStep(stage, live, id) {
  const template = kept(stage, id);
  if (!template) return null;
  const contents = [drawn(stage, template)];
  const { like } = template.dataset;
  if (like) {
    // a move shows what the phase shows that it leads to, without its tempo
    contents.push(drawn(stage, kept(stage, like)));
    contents[1].querySelector(".feel .pulse")?.closest("div").remove();
  }
  for (const part of STEP_PARTS) {
    const fresh = contents.map((content) => content.querySelector(`.${part}`)).find(Boolean);
    if (fresh) live.querySelector(`.${part}`)?.replaceWith(fresh);
  }
  renderHand(stage, live.querySelector(".step-hand"));
  return template.dataset;
}

const kept = (stage, id) => stage.querySelector(`template[data-for="${CSS.escape(id)}"]`);

/** A copy of a template with its paths, of which the page holds each once. */
function drawn(stage, template) {
  const content = template.content.cloneNode(true);
  const paths = stage.querySelector("#paths").dataset.paths.split("|");
  for (const path of content.querySelectorAll("[data-d]")) path.setAttribute("d", paths[path.dataset.d]);
  return content;
}

/** What comes behind row number `at`: neither a move nor a step without time. */
export function renderNext(stage, live, rows, at) {
  const dataOf = ({ id }) => kept(stage, id)?.dataset ?? {};
  const next = rows.slice(at + 1).find((row) => row.ends !== row.begins && !("move" in dataOf(row)));
  const word = document.createElement("span");
  word.textContent = next ? "Next" : "Last step";
  const title = document.createElement("strong");
  title.textContent = next ? dataOf(next).title : "";
  const time = next?.ends ? ` ${clockText(Math.ceil((next.ends - next.begins) / 1000))}` : "";
  const parts = next ? [word, document.createTextNode(" "), title, time] : [word];
  live.querySelector(".step-next").replaceChildren(...parts);
}

/** The page holds the picture of each technique once, not once a step. */
function renderHand(stage, hand) {
  const name = CSS.escape(hand?.dataset.hand ?? "");
  const picture = stage.querySelector(`template[data-picture="${name}"]`);
  if (picture) hand.prepend(drawn(stage, picture));
}

/** The whole live part from a view of rules/commands.js. */
export function renderState(stage, live, view, seq) {
  const { status, index } = view.state;
  if (status === "finished") return renderFinished(stage, live);
  const step = renderStep(stage, live, view.stepId) ?? {};
  live.className = `stage stage-${status} ${step.kind} ${step.hue}`;
  Object.assign(live.dataset, { status, step: view.stepId, index, seq });
  live.querySelector(".count-note").textContent = JSON.parse(stage.dataset.notes)[status];
  renderQuestions(stage, live, view);
  renderNext(stage, live, view.rows.map(({ id, beginsIn, endsIn }) => ({ id, begins: beginsIn, ends: endsIn })), 0);
  renderBar(live, view.state);
  renderEnds(live, view);
}

function renderFinished(stage, live) {
  live.className = "stage stage-finished stage-text hue-plain";
  Object.assign(live.dataset, { status: "finished", step: "end" });
  const inputs = live.querySelectorAll(":scope > input");
  live.replaceChildren(...inputs, stage.querySelector("#own-finished").content.cloneNode(true));
}

/** A stop or low glucose (`act`): advice in place of the step, and no controls. */
export function renderStopped(stage, live, act) {
  live.dataset.status = "stopped";
  live.className = "stage stage-stopped";
  live.replaceChildren(
    ...live.querySelectorAll("input"),
    stage.querySelector(`#${act}-advice`).content.cloneNode(true),
  );
  stage.querySelector("#session-controls").hidden = true;
  stage.querySelector("#undo").hidden = true;
  const heading = live.querySelector("h1");
  heading.focus();
  stage.querySelector("#session-status").textContent = heading.textContent;
}

function renderQuestions(stage, live, { state, capSecondsLeft }) {
  for (const old of live.querySelectorAll(".stage-ask")) old.remove();
  const foot = live.querySelector(".stage-foot");
  const cups = stage.querySelector("#own-cups");
  if (state.holding) {
    const question = stage.querySelector("#own-holding").content.cloneNode(true);
    question.querySelector("#hold-left").dataset.until = state.at + capSecondsLeft * 1000;
    foot.before(question);
  } else if (state.endedEarly && cups) foot.before(cups.content.cloneNode(true));
}

/** In proportion to the planned times, as webapp/presentation/figures.py does it. */
function renderBar(live, { planned, done, index }) {
  const segments = [...live.querySelectorAll(".bar .segment")];
  const steps = segments.map((segment) => Number(segment.dataset.index));
  const total = Math.max(1, steps.reduce((sum, i) => sum + planned[i], 0));
  const scale = (BAR_WIDTH - BAR_GAP * (segments.length - 1)) / total;
  let x = 0;
  segments.forEach((segment, n) => {
    const i = steps[n];
    const width = planned[i] * scale;
    const share = planned[i] ? Math.min(1, done[i] / planned[i]) : 0;
    segment.classList.toggle("segment-left", i < index);
    const rects = segment.querySelectorAll("rect");
    const title = segment.querySelector("title");
    title.textContent = title.textContent.replace(/[^ ]+$/, clockText(Math.ceil(planned[i] / 1000)));
    [width, width * share].forEach((value, r) => {
      rects[r].setAttribute("x", x.toFixed(2));
      rects[r].setAttribute("width", value.toFixed(2));
    });
    x += width + BAR_GAP;
  });
}

/** The buttons of a status that are possible now; the focus stays. */
export function renderControls(stage, status, actions) {
  const controls = stage.querySelector("#session-controls");
  const focused = controls.contains(document.activeElement) ? document.activeElement.id : null;
  const fresh = stage.querySelector(`template[data-controls="${status}"]`)?.content.cloneNode(true);
  controls
    .querySelectorAll("#acts, #session-more, #session-note, #session-others, #session-early, #session-shows")
    .forEach((old) => old.remove());
  if (!fresh) return;
  const ids = actions.map((action) => `act-${TOGGLES.includes(action) ? "toggle" : action}`);
  for (const button of fresh.querySelectorAll("button[id^=act-]")) {
    if (!ids.includes(button.id)) button.remove();
  }
  if (!ids.includes("act-end-at")) fresh.querySelector("#end-at")?.remove();
  controls.prepend(fresh);
  globalThis.htmx?.process(controls);
  if (focused) (controls.querySelector(`#${focused}`) ?? controls.querySelector(".control-main"))?.focus();
}

/** What a screen reader says of a change. */
export function announcementOf(live) {
  const words = [live.querySelector(".step-name"), live.querySelector(".step-place")]
    .map((e) => e?.textContent.trim())
    .filter(Boolean);
  return (live.dataset.status === "paused" ? ["Paused", ...words] : words).join(", ");
}

/** For voice and chimes: the rows from number `first` on, which the stage shows. */
export function dispatchTimeline({ rows, status, planned }, first, clock) {
  const shown = rows[first];
  const detail = {
    status,
    rows: rows.slice(first),
    total: first ? shown.ends - shown.begins : planned,
    now: () => clock.now(),
  };
  document.dispatchEvent(new CustomEvent("stage:timeline", { detail }));
}

/** Makes the words smaller where they do not fit the screen, so that nothing moves from phase to phase.
 * Where the smallest do not fit either, they keep their size and the page scrolls. */
export function fitWords(stage, signal) {
  const fit = () => queueMicrotask(() => resizeWords(stage)); // after the step is rendered, before it is painted
  document.addEventListener("stage:timeline", fit, { signal });
  addEventListener("resize", fit, { signal });
}

function resizeWords(stage) {
  const size = WORD_SIZES.find((size) => {
    stage.style.setProperty("--words", size);
    return document.documentElement.scrollHeight <= innerHeight;
  });
  stage.style.setProperty("--words", size ?? 1);
}
