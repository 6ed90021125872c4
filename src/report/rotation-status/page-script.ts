/** Runs before the table is there: some of the style holds with a script only, as long as it does not fail. */
export const PAGE_START_SCRIPT = `document.documentElement.className="js";
addEventListener("error",()=>{document.documentElement.className=""})`;

/**
 * The script of the page: search, order, and no more rows in the document than a browser lays out without a pause. The
 * fragment holds both (`#q=state:active+example&sort=due`, `sort=-due` for the other way round), so that a view can be linked.
 */
export const PAGE_SCRIPT = String.raw`"use strict";
(() => {
  const element = (id) => document.getElementById(id);
  const [search, order, count, more] = ["q", "sort", "count", "more"].map(element);
  const table = document.querySelector("table");
  const [body, ...others] = table.tBodies;
  const states = table.dataset.states.split(" ");
  const portion = Number(table.dataset.portion);
  const heads = [...table.tHead.querySelectorAll("[data-sort]")];
  const fields = heads.map((head) => head.dataset.sort);
  const read = (row, index) => {
    const cells = [...row.cells].slice(0, fields.length);
    const text = cells.map((cell) => cell.textContent.toLowerCase());
    const time = cells[6].querySelector("time");
    const keys = [...text.slice(0, 3), states.indexOf(text[3].split(",")[0]), text[4], text[5], time ? time.dateTime : "~"];
    return { row, index, text, keys, urgency: row.dataset.urgency || "calm" };
  };
  const rows = [...table.tBodies].flatMap((part) => [...part.rows]).map(read);
  for (const part of others) part.remove();
  let shown = rows;
  let limit = portion;

  const matches = (entry, word) => {
    const [, field, value] = /^([a-z]+):(.*)$/.exec(word) || [];
    if (field === "urgency") return entry.urgency === value;
    const column = fields.indexOf(field);
    if (column !== -1) return entry.text[column].startsWith(value);
    return entry.text.some((text) => text.includes(word));
  };

  // The roles are those that the elements have: a browser may forget them when a narrow window lays them out otherwise.
  const withRoles = (row) => {
    if (row.hasAttribute("role")) return row;
    row.setAttribute("role", "row");
    for (const cell of row.cells) cell.setAttribute("role", cell.tagName === "TH" ? "rowheader" : "cell");
    return row;
  };

  const draw = () => {
    body.replaceChildren(...shown.slice(0, limit).map(({ row }) => withRoles(row)));
    more.parentElement.hidden = shown.length <= limit;
    more.textContent = "Show " + Math.min(limit, shown.length - limit) + " more of " + shown.length;
    count.textContent = shown.length === rows.length ? rows.length + " keys" : shown.length + " of " + rows.length + " keys";
  };

  const select = () => {
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    const [, reverse, name] = /^(-?)(.*)$/.exec(order.value);
    const column = fields.indexOf(name);
    shown = rows.filter((entry) => words.every((word) => matches(entry, word)));
    const compare = (a, b) => (a < b ? -1 : a > b ? 1 : 0);
    if (column !== -1) {
      const sign = reverse ? -1 : 1;
      shown.sort((a, b) => sign * compare(a.keys[column], b.keys[column]) || a.index - b.index);
    }
    for (const head of heads) {
      if (head.dataset.sort === name) head.setAttribute("aria-sort", reverse ? "descending" : "ascending");
      else head.removeAttribute("aria-sort");
    }
    limit = portion;
    draw();
  };

  const toFragment = () => {
    const view = new URLSearchParams();
    if (search.value !== "") view.set("q", search.value);
    if (order.value !== "") view.set("sort", order.value);
    history.replaceState(null, "", "#" + view);
    select();
  };
  const fromFragment = () => {
    const view = new URLSearchParams(location.hash.slice(1));
    search.value = view.get("q") || "";
    order.value = view.get("sort") || "";
    if (order.selectedIndex === -1) order.value = "";
    select();
  };

  for (const head of heads) {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...head.childNodes);
    head.append(button);
    button.addEventListener("click", () => {
      order.value = order.value === head.dataset.sort ? "-" + head.dataset.sort : head.dataset.sort;
      toFragment();
    });
  }
  let timer;
  search.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(toFragment, 100);
  });
  search.form.addEventListener("submit", (event) => event.preventDefault());
  order.addEventListener("change", toFragment);
  addEventListener("hashchange", fromFragment);
  // Twice as many each time: nobody waits for thousands of rows without having asked for them.
  more.addEventListener("click", () => {
    limit *= 2;
    draw();
  });
  for (const [tag, role] of [["table", "table"], ["thead", "rowgroup"], ["tbody", "rowgroup"]]) {
    for (const part of document.querySelectorAll(tag)) part.setAttribute("role", role);
  }
  const hours = (Date.now() - Date.parse(element("made").dateTime)) / 3600000;
  if (hours > 26) {
    element("age").textContent = "This page was made " + Math.floor(hours / 24) + " days ago: keys may have moved on since.";
    element("age").hidden = false;
  }
  fromFragment();
})();
`;
