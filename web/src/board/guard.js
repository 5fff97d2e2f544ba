// Runs before everything else, on any engine: ES3 only. Says what is wrong
// instead of leaving a black screen, and watches for the life of the page.
(function () {
  var WAIT = 8000;
  var RELOAD = 60000;
  var shown = false;
  window.nowservingBooted = false;
  window.nowservingErrors = 0;

  function engine() {
    var match = /(?:Chrome|Chromium|Version|Firefox|MSIE|rv)[\/: ](\d+)/.exec(navigator.userAgent);
    return match ? match[1] : "unknown";
  }

  function show(text) {
    if (shown || window.nowservingBooted) {
      return;
    }
    shown = true;
    var box = document.getElementById("guard");
    if (box) {
      box.appendChild(document.createTextNode(text));
      box.className = "guard shown";
    }
    // A newer page may work here, and a hub that was away comes back.
    setTimeout(function () {
      location.reload();
    }, RELOAD);
  }

  function tooOld() {
    show("This screen's browser is too old (engine " + engine() + "). Open " + location.host +
      location.pathname.replace(/\/$/, "") + "/plain instead.");
  }

  window.onerror = function (message) {
    window.nowservingErrors++;
    if (document.body) {
      document.body.setAttribute("data-errors", String(window.nowservingErrors));
    }
    if (!window.nowservingBooted && /SyntaxError|is not defined|not a function|undefined/.test(String(message))) {
      tooOld();
    }
    return false;
  };

  if (window.addEventListener) {
    // A script that did not arrive is a network problem, not an old browser.
    window.addEventListener("error", function (event) {
      var target = event.target;
      if (target && target.tagName === "SCRIPT") {
        show("This screen cannot load its page. It tries again by itself.");
      }
    }, true);
  }

  setTimeout(tooOld, WAIT);
})();
