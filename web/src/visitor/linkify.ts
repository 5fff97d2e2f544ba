// Addresses in a text become links; everything else stays the text that it is.

export interface Piece {
  text: string;
  /** An http or https address, and never anything else. */
  href?: string;
}

const ADDRESS = /\bhttps?:\/\/[^\s<>"'`]+/;
/** At the end of an address these belong to the sentence around it. */
const TRAILING = /[.,;:!?)\]}]+$/;

export function linkify(text: string): Piece[] {
  const pieces: Piece[] = [];
  const found = new RegExp(ADDRESS, "gi");
  let at = 0;
  for (let match = found.exec(text); match; match = found.exec(text)) {
    const address = match[0].replace(TRAILING, "");
    const start = match.index;
    if (!valid(address)) continue;
    if (start > at) pieces.push({ text: text.slice(at, start) });
    pieces.push({ text: address, href: address });
    at = start + address.length;
  }
  if (at < text.length) pieces.push({ text: text.slice(at) });
  return pieces;
}

function valid(address: string): boolean {
  try {
    const url = new URL(address);
    return (url.protocol === "https:" || url.protocol === "http:") && url.hostname !== "" && !url.username;
  } catch {
    return false;
  }
}
