// Fields that matter only while another one has a value: hidden otherwise. The server checks in any case.
(() => {
  const draw = () => {
    for (const part of document.querySelectorAll("[data-show-when]")) {
      const chosen = document.querySelector(`input[name="${part.dataset.showWhen}"]:checked`);
      part.hidden = !part.dataset.showEquals.split(" ").includes(chosen?.value);
    }
  };
  document.addEventListener("change", draw);
  addEventListener("pageshow", draw); // a browser that went back fills the fields after the scripts ran
  draw();
})();
