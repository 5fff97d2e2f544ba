// Tells when a page comes back: to the foreground, out of the page cache, or online.

/**
 * Calls back on every return; a phone's or a laptop's socket is often dead
 * then. Returns how to stop.
 */
export function onWake(back: () => void): () => void {
  const visible = () => {
    if (!document.hidden) {
      back();
    }
  };
  const shown = (event: PageTransitionEvent) => {
    // The first pageshow belongs to the load, which connects anyway.
    if (event.persisted) {
      back();
    }
  };
  document.addEventListener("visibilitychange", visible);
  window.addEventListener("pageshow", shown);
  window.addEventListener("online", back);
  return () => {
    document.removeEventListener("visibilitychange", visible);
    window.removeEventListener("pageshow", shown);
    window.removeEventListener("online", back);
  };
}
