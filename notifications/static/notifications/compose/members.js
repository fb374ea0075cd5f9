// "Check these members" without leaving the place: the same request, of which only the result is taken.
(() => {
  const box = document.querySelector(".check-members");
  const button = box?.querySelector("button");
  if (!button) return;
  const result = () => document.getElementById("members-checked");
  let isAsking = false;

  const ask = async () => {
    const data = new FormData(button.form);
    data.append(button.name, button.value);
    const response = await fetch(button.form.action, { method: "POST", body: data, redirect: "manual" });
    if (!response.ok) throw new Error(String(response.status));
    const page = new DOMParser().parseFromString(await response.text(), "text/html");
    result().innerHTML = page.getElementById("members-checked").innerHTML;
  };

  // What was said is about what was asked, not about what has been entered since.
  const forget = () => result().replaceChildren();
  button.form.addEventListener("chosen", forget);
  button.form.elements.recipients.addEventListener("input", forget);

  button.addEventListener("click", async (event) => {
    event.preventDefault();
    if (isAsking) return;
    isAsking = true;
    button.setAttribute("aria-disabled", "true");
    result().textContent = box.dataset.checking;
    try {
      await ask();
    } catch {
      // Logged out, or no network: the browser's own request says what is the matter.
      button.form.requestSubmit(button);
    }
    button.removeAttribute("aria-disabled");
    isAsking = false;
  });
})();
