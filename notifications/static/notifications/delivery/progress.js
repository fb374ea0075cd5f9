// Live progress: a small request every two seconds, slower when the tab is hidden.
(() => {
  const box = document.getElementById("live");
  if (!box?.dataset.url) return;
  let wait = 2000;
  const tick = async () => {
    if (document.hidden) return setTimeout(tick, 5000);
    try {
      const response = await fetch(box.dataset.url, { redirect: "manual" });
      if (response.type === "opaqueredirect") {
        // To the login page: the session has ended. Asking on would not help.
        document.getElementById("logged-out").hidden = false;
        return undefined;
      }
      if (!response.ok) throw new Error(String(response.status));
      const html = await response.text();
      if (html !== box.dataset.seen && !box.contains(document.activeElement)) {
        box.innerHTML = html;
        box.dataset.seen = html;
      }
      wait = 2000;
      // What stands around it is of the beginning: read the page anew, once this was told.
      if (response.headers.get("X-Done")) return setTimeout(() => location.reload(), 1000);
    } catch {
      wait = Math.min(wait * 2, 30000);
    }
    return setTimeout(tick, wait);
  };
  setTimeout(tick, wait);
})();
