// The Write page: counters, preview, the rule of the group types. The server checks again.
(() => {
  const form = document.getElementById("write-form");
  if (!form) return;
  const NAMED = 5;
  const words = form.dataset;
  const byId = (id) => document.getElementById(id);
  const chosen = (name) => form.querySelector(`input[name="${name}"]:checked`)?.value;
  const count = new Intl.NumberFormat(document.documentElement.lang);
  const say = (text, n) => text.replace("{n}", count.format(n));
  const recipients = form.elements.recipients;
  const before = ["aria-invalid", "aria-describedby"].map((name) => [name, recipients.getAttribute(name)]);
  const said = document.querySelector("#div_id_members .errorlist")?.textContent.trim(); // by the server
  let groups = null; // as picker.js tells; null = without it, nothing is known of them

  const drawLength = () => {
    const text = form.elements.content;
    const used = new TextEncoder().encode(text.value).length;
    const most = Number(text.dataset.maxBytes);
    byId("byte-count").textContent = `${count.format(used)} / ${count.format(most)}`;
    byId("byte-count").classList.toggle("over", used > most);
    const preview = byId("preview");
    preview.textContent = text.value || preview.dataset.empty;
    preview.classList.toggle("is-empty", !text.value);
  };

  const drawReach = (every, named) => {
    const usable = (groups || []).filter((group) => !group.problem);
    const n = every ? Number(words.everyCount) : usable.length;
    const people = every ? Number(words.everyPeople) : usable.reduce((sum, group) => sum + group.members, 0);
    const names = new Set(recipients.value.split(/[\s,;，；、]+/).filter(Boolean)).size;
    const known = every || groups;
    byId("group-count").textContent = known ? say(n === 1 ? words.oneGroup : words.manyGroups, n) : "–";
    if (named) byId("people-count").textContent = say(words.named, names);
    else byId("people-count").textContent = known ? say(words.everyone, people) : "–";
  };

  const reasonFor = (every) => {
    if (every) return words.everyReason;
    const names = (groups || []).filter((group) => group.whole).map((group) => group.name);
    if (!names.length) return "";
    const more = names.length - NAMED;
    return words.wholeReason + names.slice(0, NAMED).join(", ") + (more > 0 ? ` ${say(words.more, more)}` : "");
  };

  // A list of members that somebody chose is never widened: it is marked, and the server refuses it.
  const drawRule = (every) => {
    const reason = reasonFor(every);
    const named = form.querySelector('input[name="members"][value="named"]');
    const clash = Boolean(reason) && named.checked;
    const why = byId("id_members_reason");
    named.disabled = Boolean(reason) && !clash;
    byId("div_id_members").classList.toggle("errors", clash);
    why.hidden = !reason || reason === said;
    why.classList.toggle("is-error", clash);
    if (clash) why.setAttribute("role", "alert");
    else why.removeAttribute("role");
    if (why.textContent !== reason) why.textContent = reason;
    if (reason) named.setAttribute("aria-describedby", why.id);
    else named.removeAttribute("aria-describedby");
    for (const [name, value] of before) {
      if (value === null) recipients.removeAttribute(name);
      else recipients.setAttribute(name, value);
    }
    if (clash) {
      recipients.setAttribute("aria-invalid", "true");
      recipients.setAttribute("aria-describedby", `${before[1][1] || ""} ${why.id}`.trim());
    }
  };

  const draw = () => {
    const every = chosen("audience") === "every";
    drawLength();
    drawReach(every, chosen("members") === "named");
    drawRule(every);
  };

  form.addEventListener("input", draw);
  form.addEventListener("chosen", (event) => {
    groups = event.detail;
    draw();
  });
  form.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) form.requestSubmit();
  });
  addEventListener("pageshow", draw); // a browser that went back fills the fields after the scripts ran
  byId("form-errors")?.focus();
  draw();
})();
