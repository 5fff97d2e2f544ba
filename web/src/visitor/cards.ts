// What a message offers besides its text: cards, and replies that are sent with
// one press. All of it is somebody's text, and goes in as text.
import { button, make } from "../common/dom";
import { safe, target } from "../common/thread";
import { Card, CardButton, Payload } from "../common/visit";
import { Words } from "../common/words";

export interface Offer {
  payload: Payload;
  /** It waits for an answer; later it only shows what was offered. */
  active: boolean;
}

/** Draws an offer, again only when it has changed. */
export function fillOffer(box: HTMLElement, offer: Offer | undefined, words: Words, choose: (text: string) => void): void {
  const wanted = offer ? JSON.stringify(offer) + words.language : "";
  if (box.dataset["offer"] === wanted) return;
  box.dataset["offer"] = wanted;
  box.replaceChildren();
  if (!offer) return;
  for (const card of offer.payload.templates || []) addCard(box, card, offer.active, choose);
  const replies = (offer.active && offer.payload.quickReplies) || [];
  if (replies.length) {
    const group = make("div", "replies", box);
    group.setAttribute("role", "group");
    group.setAttribute("aria-label", words.say("choose"));
    for (const reply of replies) addReply(group, reply.title, choose);
  }
}

function addReply(parent: HTMLElement, text: string, choose: (text: string) => void): HTMLButtonElement {
  const reply = button(parent, text, () => choose(text), "reply");
  reply.dir = "auto";
  return reply;
}

function addCard(parent: HTMLElement, card: Card, active: boolean, choose: (text: string) => void): void {
  const box = make("div", "card", parent);
  const cover = safe(card.coverImageUrl, /^https?:$/);
  // Only the hub's own pictures: another server would learn who waits here, and
  // the page's policy does not let it.
  if (cover && new URL(cover).origin === window.location.origin) {
    const image = make("img", "cover", box);
    image.alt = "";
    image.addEventListener("error", () => image.remove());
    image.src = cover;
  }
  if (card.title) make("strong", "card-title", box, card.title).dir = "auto";
  if (card.subtitle) make("p", "card-more", box, card.subtitle).dir = "auto";
  for (const one of card.buttons || []) addButton(box, one, active, choose);
}

function addButton(parent: HTMLElement, one: CardButton, active: boolean, choose: (text: string) => void): void {
  const address = target(one);
  if (address === undefined) {
    addReply(parent, one.title, choose).disabled = !active;
  } else if (address) {
    const link = make("a", "reply", parent, one.title);
    link.dir = "auto";
    leadAway(link, address);
  }
}

/** Lets a link open beside the page, without saying where it came from. */
export function leadAway(link: HTMLAnchorElement, address: string): void {
  link.href = address;
  link.target = "_blank";
  link.rel = "noopener noreferrer nofollow";
  link.referrerPolicy = "no-referrer";
}
