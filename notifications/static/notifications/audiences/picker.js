// Choosing groups: a combobox with chips over each textarea of IDs, which stays what is posted.
(() => {
  const parts = document.getElementById("picker-parts");
  const picked = document.getElementById("picked-groups");
  if (!parts || !picked) return;
  const known = JSON.parse(picked.textContent); // by field: the groups that the server shows
  const SHOWN = 50;
  const LIST = /[,;，；、\r\n\t]/;
  const fill = (text, values) => text.replace(/\{(\w+)\}/g, (_whole, key) => values[key]);
  const make = (tag, className, text) => Object.assign(document.createElement(tag), { className, textContent: text });
  const idsOf = (text) => text.split("\n").filter(Boolean);
  const count = new Intl.NumberFormat(document.documentElement.lang);

  const pickFor = (posted) => {
    const form = posted.form;
    const picker = parts.content.firstElementChild.cloneNode(true);
    const part = (name) => picker.querySelector(`[data-part=${name}]`);
    const [chips, input, list, status] = ["chips", "input", "list", "status"].map(part);
    const words = picker.dataset;
    const chosen = new Map(); // by ID, in the order of choosing; the group, where it is known
    let offered = [];
    let active = -1;
    let turn = 0; // of the newest search: the answers to older ones are dropped
    let pause;
    let written = posted.defaultValue; // what this script left in the textarea

    const ask = async (address, options = {}) => {
      try {
        const response = await fetch(address, { ...options, redirect: "manual" });
        if (response.ok) return await response.json();
        if (response.type === "opaqueredirect") status.textContent = words.loggedOut;
        else status.textContent = { 413: words.tooMuch, 429: words.tooOften }[response.status] || words.lost;
      } catch {
        status.textContent = words.lost;
      }
      return null;
    };

    // --- chips -----------------------------------------------------------------------
    const chip = (group, index) => {
      const item = make("li", group.problem ? "chip is-problem" : "chip", "");
      const button = make("button", "chip-remove", "");
      button.type = "button";
      button.tabIndex = index ? -1 : 0; // one stop for Tab, arrows between them
      button.setAttribute("aria-label", fill(words.remove, group));
      button.addEventListener("click", () => remove(group.id, index));
      item.append(make("span", "chip-name", `${group.name} · ${group.problem || group.type}`), button);
      return item;
    };

    const draw = () => {
      const groups = [...chosen.values()].filter(Boolean);
      const first = [...groups.filter((g) => g.problem), ...groups.filter((g) => !g.problem)].slice(0, SHOWN);
      const more = chosen.size - first.length;
      chips.replaceChildren(...first.map(chip));
      chips.hidden = !first.length;
      part("rest").hidden = chosen.size < 5;
      part("more").textContent = more ? fill(words.more, { n: count.format(more) }) : "";
      posted.value = [...chosen.keys()].join("\n");
      written = posted.value;
      form.dispatchEvent(new CustomEvent("chosen"));
    };

    const remove = (id, index) => {
      status.textContent = fill(words.removed, chosen.get(id));
      chosen.delete(id);
      draw();
      const buttons = chips.querySelectorAll("button");
      (index === undefined ? input : buttons[Math.min(index, buttons.length - 1)] || input).focus();
    };

    const removeLast = () => {
      const id = [...chosen.keys()].pop();
      if (!chosen.get(id)) chosen.set(id, { id, name: id });
      remove(id);
    };

    const add = (ids, groups) => {
      for (const id of ids) if (!chosen.has(id)) chosen.set(id, null);
      for (const group of groups) chosen.set(group.id, group);
      draw();
    };

    // IDs that were pasted or typed with separators: the server knows them.
    const take = async (ids) => {
      close();
      const body = new FormData();
      body.set("ids", ids);
      body.set("csrfmiddlewaretoken", form.elements.csrfmiddlewaretoken.value);
      const found = await ask(words.url, { method: "POST", body });
      if (!found) return;
      input.value = "";
      add(found.ids, found.groups);
      status.textContent = found.says;
    };

    // --- suggestions -----------------------------------------------------------------
    const close = () => {
      clearTimeout(pause);
      turn += 1;
      list.hidden = true;
      offered = [];
      mark(-1);
      input.setAttribute("aria-expanded", "false");
    };

    const mark = (index) => {
      active = index;
      [...list.children].forEach((option, n) => option.setAttribute("aria-selected", String(n === index)));
      if (index < 0) return input.removeAttribute("aria-activedescendant");
      input.setAttribute("aria-activedescendant", list.children[index].id);
      return list.children[index].scrollIntoView({ block: "nearest" });
    };

    const pick = (group) => {
      close();
      input.value = "";
      if (chosen.has(group.id)) return;
      add([group.id], [group]);
      status.textContent = fill(words.added, group);
    };

    const search = async () => {
      clearTimeout(pause);
      turn += 1;
      const mine = turn;
      const found = await ask(`${words.url}?q=${encodeURIComponent(input.value.trim())}`);
      if (!found || mine !== turn || document.activeElement !== input) return;
      offered = found.groups;
      list.replaceChildren(...offered.map((group, n) => {
        const there = chosen.has(group.id);
        const option = make("li", "", `${group.name} · ${group.type}`);
        Object.assign(option, { id: `${list.id}-${n}`, role: "option" });
        option.append(make("span", "sub", there ? `${group.id} · ${words.already}` : group.id));
        if (there) option.setAttribute("aria-disabled", "true");
        option.addEventListener("click", () => pick(group));
        return option;
      }));
      mark(-1);
      list.hidden = !offered.length;
      input.setAttribute("aria-expanded", String(!list.hidden));
      status.textContent = found.says;
    };

    const enter = async () => {
      if (active >= 0) return pick(offered[active]);
      const text = input.value.trim();
      if (!text) return undefined;
      await search();
      const sure = offered.find((group) => group.id === text) || (offered.length === 1 && offered[0]);
      if (sure) return pick(sure);
      return offered.length === 0 && LIST.test(text) ? take(text) : undefined;
    };

    // --- keys and pointer ------------------------------------------------------------
    input.addEventListener("input", (event) => {
      event.stopPropagation();
      clearTimeout(pause);
      if (!input.value.trim()) {
        status.textContent = "";
        return close();
      }
      pause = setTimeout(search, 150);
      return undefined;
    });
    input.addEventListener("paste", (event) => {
      const text = event.clipboardData.getData("text").trim();
      if (!LIST.test(text)) return;
      event.preventDefault();
      take(text);
    });
    input.addEventListener("keydown", (event) => {
      if (event.isComposing || event.ctrlKey || event.metaKey || event.altKey) return;
      const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
      if (step && list.hidden) search();
      else if (step) mark(active < 0 && step < 0 ? offered.length - 1 : (active + step) % offered.length);
      else if (event.key === "Enter") enter();
      else if (event.key === "Escape") { if (list.hidden) input.value = ""; close(); }
      else if (event.key === "Backspace" && !input.value && chosen.size) removeLast();
      else return;
      event.preventDefault();
    });
    chips.addEventListener("keydown", (event) => {
      const buttons = [...chips.querySelectorAll("button")];
      const at = buttons.indexOf(event.target);
      const to = { ArrowLeft: at - 1, ArrowRight: at + 1, Home: 0, End: buttons.length - 1 }[event.key];
      if (to !== undefined) buttons[to]?.focus();
      else if (event.key === "Delete" || event.key === "Backspace") event.target.click();
      else return;
      event.preventDefault();
    });
    part("clear").addEventListener("click", () => {
      chosen.clear();
      draw();
      status.textContent = words.emptied;
      input.focus();
    });
    list.addEventListener("mousedown", (event) => event.preventDefault()); // the field keeps the focus
    picker.querySelector(".picker-box").addEventListener("click", (event) => {
      if (event.target === event.currentTarget || event.target === chips) input.focus();
    });
    picker.addEventListener("focusout", (event) => { if (!picker.contains(event.relatedTarget)) close(); });
    // What was typed and not picked is posted too: the server says that it is no group.
    form.addEventListener("submit", () => { if (input.value.trim()) posted.value += `\n${input.value}`; });

    // --- start -----------------------------------------------------------------------
    for (const name of ["aria-describedby", "aria-invalid"]) {
      if (posted.hasAttribute(name)) input.setAttribute(name, posted.getAttribute(name));
    }
    const help = document.getElementById(`${posted.id}_helptext`);
    if (help) help.firstElementChild.textContent = words.help;
    list.id = `${posted.id}_list`;
    input.setAttribute("aria-controls", list.id);
    input.id = posted.id; // the label and the list of errors point to it
    posted.removeAttribute("id");
    const hadFocus = document.activeElement === posted;
    posted.hidden = true;
    posted.after(picker);
    if (hadFocus) input.focus();
    // A browser that went back or reloaded fills in other IDs, before or after the scripts run.
    const restore = () => {
      if (posted.value === written) return;
      chosen.clear();
      take(posted.value);
    };
    if (posted.value === written) add(idsOf(written), known[posted.name]);
    else restore();
    addEventListener("pageshow", restore);
  };

  document.querySelectorAll("textarea[data-picker]").forEach(pickFor);
})();
