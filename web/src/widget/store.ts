// Where the widget keeps what must outlive a page: the site's own storage, never
// a cookie. Where a browser refuses one kind of storage, the next is tried.
import { Store } from "../launcher/api";
import { PREFIX } from "../launcher/raw";

/** The storage called name if it can be written to. */
function usable(name: "localStorage" | "sessionStorage"): Storage | undefined {
  try {
    const storage = window[name]; // reading it throws where it is blocked
    storage.setItem(PREFIX + "try", "1");
    storage.removeItem(PREFIX + "try");
    return storage;
  } catch {
    return undefined;
  }
}

/**
 * Opens the kept values of one site key. In a frame the page around it gives what
 * it kept, and is told (keep) what to keep from then on.
 */
export function openStore(key: string, kept?: Record<string, string>, keep?: (name: string, value: string | undefined) => void): Store {
  const storage = usable("localStorage") || usable("sessionStorage");
  // Also where a storage is full later: this page at least remembers.
  const memory = new Map<string, string>();
  for (const name of Object.keys(kept || {})) memory.set(name, (kept as Record<string, string>)[name] as string);
  const prefix = PREFIX + key + ".";
  return {
    get: (name) => memory.get(name) || (storage && storage.getItem(prefix + name)) || undefined,
    set(name, value) {
      memory.delete(name);
      if (keep) keep(name, value);
      try {
        if (value === undefined) {
          storage && storage.removeItem(prefix + name);
        } else if (storage) {
          storage.setItem(prefix + name, value);
        } else {
          memory.set(name, value);
        }
      } catch {
        memory.set(name, value as string);
      }
    },
    names(start) {
      const all = Array.from(memory.keys());
      for (let i = 0; storage && i < storage.length; i++) {
        const name = storage.key(i) as string;
        if (name.indexOf(prefix) === 0) all.push(name.slice(prefix.length));
      }
      return all.filter((name) => name.indexOf(start) === 0);
    },
    watch(changed) {
      const told = (event: StorageEvent) => {
        if (event.storageArea === storage && event.key && event.key.indexOf(prefix) === 0) changed(event.key.slice(prefix.length));
      };
      window.addEventListener("storage", told);
      return () => window.removeEventListener("storage", told);
    },
  };
}
