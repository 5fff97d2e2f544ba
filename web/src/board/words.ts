// What a board says. One place, so that a translation has one place to go.

export const words = {
  calling: "Now calling",
  called: "Called",
  lastCalled: "Last called",
  earlier: "called earlier",
  idle: "Please take a ticket",
  listHeading: "Recently called",
  starting: "Starting\u2026",
  soundLocked: "Press OK for sound",
  pairTitle: "Pair this screen",
  pairHelp: "In the console, open Screens and type this code",
  pairWait: "Asking for a code\u2026",
  desk: (name: string) => (/^\d+[A-Za-z]?$/.test(name) ? "Desk " + name : name),
  nth: (call: number) => {
    const names = ["", "", "Second call", "Third call"];
    return names[call] || "Call " + call;
  },
  waiting: (count: number) => (count === 0 ? "Nobody is waiting" : count + " waiting"),
  wait: (min: number, max: number) => (min === max ? min + " min" : min + "\u2013" + max + " min"),
  stale: (since: string) => (since ? "Updating. Last update " + since : "Updating\u2026"),
  offline: (since: string) =>
    (since ? "Screen offline since " + since : "Screen offline") + ". Please listen or ask staff.",
  spoken: (publicId: string, desk: string) => (desk ? publicId + " to " + desk : publicId),
};
