// Every page and where it stands in the menu.
import { audit } from "./audit";
import { board } from "./board";
import { department } from "./department";
import { desks } from "./desks";
import { emergency } from "./emergency";
import { Page } from "./host";
import { inputFields } from "./fields";
import { hours } from "./hours";
import { keys } from "./keys";
import { lines } from "./lines";
import { media } from "./media";
import { place } from "./place";
import { replies } from "./replies";
import { screens } from "./screens";
import { sites } from "./sites";
import { users } from "./users";
import { visitors } from "./visitors";
import { waits } from "./waits";
import { webhooks } from "./webhooks";

export interface Group {
  name: string;
  pages: Array<[name: string, page: Page]>;
}

export const groups: Group[] = [
  { name: "branch", pages: [["lines", lines], ["fields", inputFields], ["desks", desks], ["hours", hours], ["visitors", visitors], ["place", place]] },
  { name: "people", pages: [["users", users]] },
  { name: "screens", pages: [["screens", screens], ["board", board], ["media", media], ["emergency", emergency]] },
  { name: "chat", pages: [["sites", sites], ["department", department], ["replies", replies]] },
  { name: "systems", pages: [["keys", keys], ["webhooks", webhooks]] },
  { name: "insight", pages: [["waits", waits], ["audit", audit]] },
];
