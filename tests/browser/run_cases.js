// Runs cases by the modules that the site serves. Given to page.evaluate with { base, text };
// answers with the outcome of each case as tests/cases has it, as JSON.
async ({ base, text }) => {
  const load = (name) => import(`${base}/${name}.js`);
  const [session, commands] = await Promise.all(["session", "commands"].map(load));
  const { names, plans, cases } = JSON.parse(text);

  const told = {
    beforeTimeLost: (before) => stateValues(before),
    beforeFit: ({ at, left, planned }) => [at, left, planned],
  };
  const stateValues = (state) =>
    names.state.map((name) => (state[name] && told[name] ? told[name](state[name]) : state[name]));
  const shownRows = (rows) => rows.map(({ id, beginsIn, endsIn, wait }) => [id, beginsIn, endsIn, wait]);
  const viewValues = (view) =>
    names.view.map((name) => (name === "rows" ? shownRows(view.rows) : view[name]));

  const refusal = (error) => {
    if (error instanceof commands.Refused) return error.message;
    throw error;
  };
  const eventOf = (plan, folded, [kind, at, wish]) =>
    ["doubt", "settled"].includes(kind) ? [kind, at] : commands.decide(plan, folded, kind, at, wish);

  function happen(plan, wanted) {
    const events = [];
    const gives = wanted.map((act) => {
      const folded = session.fold(plan, events);
      try {
        const event = eventOf(plan, folded, act);
        events.push(event);
        return event;
      } catch (error) {
        return refusal(error);
      }
    });
    return { gives, folded: session.fold(plan, events) };
  }

  function outcome({ plan: number, acts: wanted, now }) {
    const plan = deepFreeze(plans[number]);
    const { gives, folded } = happen(plan, wanted);
    const view = commands.view(plan, deepFreeze(folded), now);
    const halfway = session.advance(plan, folded, Math.floor((folded.at + now) / 2));
    if (JSON.stringify(session.advance(plan, halfway, now)) !== JSON.stringify(view.state)) {
      throw new Error("a look in between changes what comes");
    }
    return { gives, state: stateValues(view.state), view: viewValues(view) };
  }

  function deepFreeze(value) {
    if (value && typeof value === "object" && !Object.isFrozen(value)) {
      Object.freeze(value);
      Object.values(value).forEach(deepFreeze);
    }
    return value;
  }

  const safely = (one) => {
    try {
      return outcome(one);
    } catch (error) {
      return { error: String(error.stack) };
    }
  };
  const first = session.initial(plans[0]);
  const { state, ...rest } = commands.view(plans[0], first, 0);
  return JSON.stringify({
    names: { state: Object.keys(first), view: Object.keys(rest) },
    outcomes: cases.map(safely),
  });
}
