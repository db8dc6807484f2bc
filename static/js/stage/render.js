// Draws a state of the session that the server has not drawn: from the templates that lie in the page.
import { drawStep } from "./stage-step.js";

const BAR_WIDTH = 1000;
const BAR_GAP = 6;
const TOGGLES = ["start", "pause", "resume"];

const pad = (n) => String(n).padStart(2, "0");

/** The whole live part for a `view` of session-view.js; of the same step only what has changed. */
export function drawLive(stage, live, view, seq) {
  const { status, index } = view.state;
  if (status === "finished") return drawFinished(stage, live);
  const kind = drawStep(stage, live, view.stepId) ?? {};
  live.className = `stage stage-${status} ${kind.kind} ${kind.hue}`;
  Object.assign(live.dataset, { status, step: view.stepId, index, seq });
  live.querySelector(".count-note").textContent = JSON.parse(stage.dataset.notes)[status];
  drawAsks(stage, live, view);
  drawBar(live, view.state);
  drawEnd(live, view);
}

function drawFinished(stage, live) {
  live.className = "stage stage-finished stage-text hue-plain";
  Object.assign(live.dataset, { status: "finished", step: "end" });
  const inputs = live.querySelectorAll(":scope > input");
  live.replaceChildren(...inputs, stage.querySelector("#own-finished").content.cloneNode(true));
}

function drawAsks(stage, live, { state, capSecondsLeft }) {
  for (const old of live.querySelectorAll(".stage-ask")) old.remove();
  const foot = live.querySelector(".stage-foot");
  const cups = stage.querySelector("#own-cups");
  if (state.holding) {
    const ask = stage.querySelector("#own-holding").content.cloneNode(true);
    ask.querySelector("#hold-left").dataset.until = state.at + capSecondsLeft * 1000;
    foot.before(ask);
  } else if (state.endedEarly && cups) foot.before(cups.content.cloneNode(true));
}

/** Every phase in proportion to its planned time, as webapp/presentation/figures.py draws it. */
function drawBar(live, { planned, done, index }) {
  const parts = [...live.querySelectorAll(".bar .segment")];
  const steps = parts.map((part) => Number(part.dataset.index));
  const all = Math.max(1, steps.reduce((sum, i) => sum + planned[i], 0));
  const scale = (BAR_WIDTH - BAR_GAP * (parts.length - 1)) / all;
  let x = 0;
  parts.forEach((part, n) => {
    const i = steps[n];
    const width = planned[i] * scale;
    const share = i < index ? 1 : planned[i] ? Math.min(1, done[i] / planned[i]) : 0;
    [width, width * share].forEach((wide, rect) => {
      part.querySelectorAll("rect")[rect].setAttribute("x", x.toFixed(2));
      part.querySelectorAll("rect")[rect].setAttribute("width", wide.toFixed(2));
    });
    x += width + BAR_GAP;
  });
}

function drawEnd(live, { handsOnEndsIn, waitsAhead }) {
  const end = live.querySelector(".stage-end");
  if (!end) return;
  if (handsOnEndsIn === null) return end.replaceChildren("The hands-on time is over");
  const at = new Date(Date.now() + handsOnEndsIn + 500); // to the nearest second, as the server says it
  const time = document.createElement("strong");
  time.textContent = `${pad(at.getHours())}:${pad(at.getMinutes())}`;
  end.replaceChildren(waitsAhead ? "ends about " : "ends ", time);
}

/** The buttons of a status, without those that this very state cannot do; the focus stays. */
export function drawControls(stage, status, actions) {
  const place = stage.querySelector("#session-controls");
  const focused = place.contains(document.activeElement) ? document.activeElement.id : null;
  const fresh = stage.querySelector(`template[data-controls="${status}"]`)?.content.cloneNode(true);
  place.querySelectorAll("#acts, #session-more, #session-note, #session-others, #session-early, #session-shows").forEach((old) => old.remove());
  if (!fresh) return;
  const ids = actions.map((action) => `act-${TOGGLES.includes(action) ? "toggle" : action}`);
  for (const button of fresh.querySelectorAll("button[id^=act-]")) {
    if (!ids.includes(button.id)) button.remove();
  }
  if (!ids.includes("act-end-at")) fresh.querySelector("#end-at")?.remove();
  place.prepend(fresh);
  globalThis.htmx?.process(place);
  if (focused) (place.querySelector(`#${focused}`) ?? place.querySelector(".control-main"))?.focus();
}
