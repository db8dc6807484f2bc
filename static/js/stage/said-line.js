// What the stage says of an act: a line over the picture that goes by itself.
const SAID_MS = 5_000;

let going = null; // the line whose time runs

const line = () => document.querySelector("#session-said");

/** Says `text`; an empty one takes away what was said. */
export function say(text) {
  line()?.remove();
  const foot = document.querySelector("#session-live .stage-foot");
  if (!text || !foot) return;
  const said = Object.assign(document.createElement("p"), { id: "session-said", className: "stage-said" });
  said.role = "alert";
  foot.before(said);
  said.textContent = text; // after it is there, so that a screen reader hears of it
  letGo();
}

/** What the server has said goes by itself too. */
export function letGo() {
  const said = line();
  if (!said || said === going) return;
  going = said;
  setTimeout(() => said.remove(), SAID_MS);
}
