// Says on the page why a passkey was not used; allauth's scripts only write it to the console.
(() => {
  const box = document.getElementById("passkey_problem");
  const problems = { NotAllowedError: "declined", AbortError: "declined", InvalidStateError: "known",
                     NotSupportedError: "unsupported", SecurityError: "unsupported", TypeError: "unsupported" };
  document.addEventListener("allauth.error", (event) => {
    event.preventDefault();
    const name = window.PublicKeyCredential ? event.detail.exception.name : "NotSupportedError";
    box.querySelector("div").textContent = box.dataset[problems[name] ?? "failed"];
    box.hidden = false;
  });
})();
