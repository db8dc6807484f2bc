// Puts one step of the plan into the page, from the templates that lie in it.
const PARTS = ["step-figure", "step-hand", "step-words", "step-lines", "step-next"];

/** Puts the picture, words and lines of step `id` into the live part; gives the template. */
export function drawStep(stage, live, id) {
  const template = stage.querySelector(`template[data-for="${CSS.escape(id)}"]`);
  if (!template) return null;
  const content = template.content.cloneNode(true);
  const paths = stage.querySelector("#paths").dataset.paths.split("|");
  for (const path of content.querySelectorAll("[data-d]")) path.setAttribute("d", paths[path.dataset.d]);
  for (const part of PARTS) {
    const fresh = content.querySelector(`.${part}`);
    if (fresh) live.querySelector(`.${part}`)?.replaceWith(fresh);
  }
  drawHand(stage, live.querySelector(".step-hand"));
  return template.dataset;
}

/** The page holds the picture of each technique once, not once a step. */
function drawHand(stage, place) {
  const name = CSS.escape(place?.dataset.hand ?? "");
  const picture = stage.querySelector(`template[data-picture="${name}"]`);
  if (picture) place.prepend(picture.content.cloneNode(true));
}
