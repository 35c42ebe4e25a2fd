// When an open page asks what is new: each second for half a minute, then each 5 s for two minutes, then each 30 s.
// Hidden it does not ask; looked at again it asks at once, and begins anew.
window.askEverLess = (ask) => {
  const often = 30, seldom = often + 24;
  let asked = 0, last = Date.now(), timer;

  function plan() {
    clearTimeout(timer);
    const wait = asked < often ? 1000 : asked < seldom ? 5000 : 30000;
    timer = setTimeout(go, wait);
  }
  function go() {
    if (document.hidden) return;
    asked += 1;
    last = Date.now();
    ask();
    plan();
  }
  function anew() {
    asked = 0;
    plan();
  }
  // A tab that is shown is often focused as well: one look.
  function look() {
    anew();
    if (Date.now() - last >= 1000) go();
  }
  document.addEventListener("visibilitychange", look);
  window.addEventListener("focus", look);
  plan();
  return anew;
};
