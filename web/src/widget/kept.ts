// What a browser keeps of a conversation, and what one begins with.

/** What is kept of a conversation. */
export interface Kept {
  token: string;
  ticket: string;
  /** Whose it is, when the site said so. */
  identity?: string | undefined;
}

/** What a first message or joining a line is made of. */
export interface Beginning {
  text?: string;
  name?: string;
  email?: string;
  line?: number;
}

/** Reads what was kept; nothing when it cannot be read. */
export function readKept(value: string | undefined): Kept | undefined {
  try {
    return JSON.parse(value || "null") || undefined;
  } catch {
    return undefined;
  }
}
