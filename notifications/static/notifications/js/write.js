// The Write page: counters, preview, the rule of the group types. The server checks again.
(() => {
  const form = document.getElementById("write-form");
  if (!form) return;
  const wholeOnly = JSON.parse(document.getElementById("all-members-only").textContent);
  const byId = (id) => document.getElementById(id);
  const chosen = (name) => form.querySelector(`input[name="${name}"]:checked`)?.value;

  const drawLength = () => {
    const text = form.elements.content;
    const used = new TextEncoder().encode(text.value).length;
    const most = Number(text.dataset.maxBytes);
    byId("byte-count").textContent = `${used} / ${most}`;
    byId("byte-count").classList.toggle("over", used > most);
    const preview = byId("preview");
    preview.textContent = text.value || preview.dataset.empty;
    preview.classList.toggle("is-empty", !text.value);
  };

  const drawRule = (every, ids) => {
    const names = ids.filter((id) => id in wholeOnly).map((id) => wholeOnly[id]);
    let reason = names.length ? form.dataset.wholeReason + names.join(", ") : "";
    if (every) reason = form.dataset.everyReason;
    const named = form.querySelector('input[name="members"][value="named"]');
    named.disabled = Boolean(reason);
    const why = byId("id_members_reason");
    why.hidden = !reason;
    why.textContent = reason;
    if (reason) named.setAttribute("aria-describedby", why.id);
    else named.removeAttribute("aria-describedby");
    if (reason && named.checked) {
      form.querySelector('input[name="members"][value="everyone"]').checked = true;
    }
  };

  const draw = () => {
    drawLength();
    const every = chosen("audience") === "every";
    const ids = [...new Set(form.elements.groups.value.split(/[\s,;，；、]+/).filter(Boolean))];
    byId("group-count").textContent = every ? form.dataset.everyCount : ids.length;
    drawRule(every, every ? [] : ids);
    for (const part of form.querySelectorAll("[data-show-when]")) {
      part.hidden = chosen(part.dataset.showWhen) !== part.dataset.showEquals;
    }
  };

  form.addEventListener("input", draw);
  form.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && event.ctrlKey) form.requestSubmit();
  });
  byId("form-errors")?.focus();
  draw();
})();
