// The length of a text in bytes below its field. The server checks again.
(() => {
  const number = new Intl.NumberFormat(document.documentElement.lang);
  for (const line of document.querySelectorAll("[data-counts]")) {
    const field = document.getElementById(line.dataset.counts);
    const most = Number(field.dataset.maxBytes);
    const shown = line.querySelector("span");
    const draw = () => {
      const used = new TextEncoder().encode(field.value).length;
      shown.textContent = `${number.format(used)} / ${number.format(most)}`;
      shown.classList.toggle("over", used > most);
    };
    field.addEventListener("input", draw);
    addEventListener("pageshow", draw); // a browser that went back fills the fields after the scripts ran
    line.hidden = false;
    draw();
  }
})();
