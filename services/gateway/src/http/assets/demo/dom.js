// Small helpers for what is on the page. Whatever people wrote goes in as text.

export const find = (id) => document.getElementById(id);

/** An element with attributes, listeners (`onclick`) and children. Strings become text. */
export function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === 'function') element.addEventListener(name.slice(2), value);
    else if (value === true) element.setAttribute(name, '');
    else if (value !== false && value !== null && value !== undefined) element.setAttribute(name, value);
  }
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

/** A time of the day, with the day where it was another one. */
export function clock(text) {
  const at = new Date(text);
  const today = at.toDateString() === new Date().toDateString();
  const day = today ? {} : { day: 'numeric', month: 'short' };
  return make('time', { datetime: text }, at.toLocaleString(undefined, { ...day, hour: '2-digit', minute: '2-digit' }));
}

/** What somebody is called. */
export function called(profile, otherwise = 'Somebody') {
  return [profile?.first_name, profile?.last_name].filter(Boolean).join(' ') || otherwise;
}

/** Tells the person what happened, aloud for those who listen to the page. */
export function say(text) {
  find('said').textContent = text;
}

/** Tells what went wrong, or nothing any more. */
export function complain(problem) {
  const place = find('problem');
  place.hidden = !problem;
  place.textContent = problem instanceof Error ? problem.message : (problem ?? '');
}

/** A listener that tells what went wrong instead of losing it. */
export function careful(work) {
  return async (...given) => {
    try {
      complain(null);
      await work(...given);
    } catch (error) {
      complain(error);
    }
  };
}
