// The page's side of a widget in a frame: see launcher/words-of-frames.
import { Word } from "../launcher/words-of-frames";
import { openStore } from "./store";

/** Answers frames of ours on this page; returns how to stop. */
export function serveFrame(hub: string, key: string, raw: () => object): () => void {
  const store = openStore(key);
  const told = (event: MessageEvent<Word>) => {
    const word = event.data;
    if (event.origin !== hub || !word || !event.source) return;
    if (word.nowserving === "hello") {
      const kept: Record<string, string> = {};
      for (const name of store.names("")) kept[name] = store.get(name) as string;
      (event.source as Window).postMessage({ nowserving: "options", options: JSON.parse(JSON.stringify(raw())), kept }, hub);
    } else if (word.nowserving === "set" && word.name) {
      store.set(word.name, word.value);
    }
  };
  addEventListener("message", told);
  return () => removeEventListener("message", told);
}
