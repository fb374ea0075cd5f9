/* Shows that a passkey was not given; the library only writes it to the log. */
"use strict";

document.addEventListener("allauth.error", () => {
  document.querySelectorAll(".passkey-error").forEach((message) => {
    message.hidden = false;
  });
});
