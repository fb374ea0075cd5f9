// The Write page: counters, preview, the rule of the group types. The server checks again.
(() => {
  const form = document.getElementById("write-form");
  if (!form) return;
  const UNCOUNTED = ["content", "note", "recipients"]; // what is written there changes no count
  const words = form.dataset;
  const byId = (id) => document.getElementById(id);
  const count = new Intl.NumberFormat(document.documentElement.lang);
  const recipients = form.elements.recipients;
  const named = form.querySelector('input[name="members"][value="named"]');
  const isNamed = () => named.checked;
  const before = ["aria-invalid", "aria-describedby"].map((name) => [name, recipients.getAttribute(name)]);
  const said = document.querySelector("#div_id_members .errorlist")?.textContent.trim(); // by the server
  let counted = { groups: "–", people: "–", left_out: "", problem: "", reason: "" }; // by the server
  let turn = 0; // of the newest question: the answers to older ones are dropped
  let pause;

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

  // Above the text of a group message; a page whose channels have no options lacks both.
  const drawSender = () => {
    const sender = byId("preview-sender");
    if (!sender) return;
    sender.textContent = form.elements.from_account.value.trim() || sender.dataset.empty;
    byId("preview-all").hidden = !form.elements.mention_all.checked;
  };

  const drawReach = () => {
    const names = new Set(recipients.value.split(/[\s,;，；、]+/).filter(Boolean)).size;
    byId("group-count").textContent = counted.groups;
    byId("people-count").textContent = isNamed() ? words.named.replace("{n}", count.format(names)) : counted.people;
    byId("left-out").textContent = counted.left_out;
    for (const id of ["left-out", "left-out-label"]) byId(id).hidden = !counted.left_out;
    byId("count-problem").textContent = counted.problem;
  };

  // A list of members that somebody chose is never widened: it is marked, and the server refuses it.
  const drawRule = () => {
    const { reason } = counted;
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
    drawLength();
    drawSender();
    drawReach();
    drawRule();
  };

  // How many groups and people the choice means: the server counts, once somebody pauses.
  const ask = async () => {
    turn += 1;
    const mine = turn;
    try {
      const response = await fetch(words.countUrl, { method: "POST", body: new FormData(form), redirect: "manual" });
      if (!response.ok) return;
      const answer = await response.json();
      if (mine !== turn) return;
      counted = answer;
      draw();
    } catch {
      // What was counted before stays; Check counts again.
    }
  };
  const askSoon = () => {
    clearTimeout(pause);
    pause = setTimeout(ask, 200);
  };

  form.addEventListener("input", (event) => {
    draw();
    if (!UNCOUNTED.includes(event.target.name)) askSoon();
  });
  form.addEventListener("chosen", askSoon);
  form.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) form.requestSubmit();
  });
  addEventListener("pageshow", () => { // a browser that went back fills the fields after the scripts ran
    draw();
    askSoon();
  });
  byId("form-errors")?.focus();
  draw();
  ask();
})();
