// The script of the page /widget/{key}, which a site puts into a frame of its own:
// see launcher/words-of-frames.
import { Word } from "../launcher/words-of-frames";

/** How long the page waits for a word from around it. */
const PATIENCE = 500;

const key = decodeURIComponent(location.pathname.split("/")[2] || "");
const language = new URLSearchParams(location.search).get("language");

function start(options: object, kept?: Record<string, string>, keep?: (name: string, value: string | undefined) => void): void {
  (window as any).NowServing.start({ language, ...options, key, hub: location.origin, full: "1", kept, keep });
}

/** In the frame: asks around, and goes on alone when nobody answers. */
function askAround(): void {
  if (parent === window) return start({});
  let done = false;
  const told = (event: MessageEvent<Word>) => {
    const word = event.data;
    if (done || event.source !== parent || !word || word.nowserving !== "options") return;
    done = true;
    const keep = (name: string, value: string | undefined) => parent.postMessage({ nowserving: "set", name, value }, event.origin);
    start(word.options || {}, word.kept, keep);
  };
  addEventListener("message", told);
  // To anybody: it says nothing, and who may frame us is in the policy.
  parent.postMessage({ nowserving: "hello" }, "*");
  setTimeout(() => {
    if (!done) start({});
    done = true;
    removeEventListener("message", told);
  }, PATIENCE);
}

askAround();
