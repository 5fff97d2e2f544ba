// What the hub says about a visitor's own ticket: PROTOCOL.md, "Ticket".
import { Line, WaitRange } from "../launcher/api";

export interface Answer {
  kind: "onMyWay" | "needTime";
  at: string;
  until?: string;
}

export interface Ticket {
  id: string;
  publicId?: string;
  status?: string;
  line?: { id: number; name: string };
  desk?: { id: number; name: string };
  /** 1 is next. */
  position?: number;
  wait?: WaitRange;
  created?: string;
  calledAt?: string;
  recalls?: number;
  firstName?: string;
  lastName?: string;
  email?: string;
  languageCode?: string;
  answer?: Answer;
  location: { id: number; name: string; timezone?: string; languages?: string[] };
  conversation?: { state: string; agent?: string; readUpTo: number; seenUpTo?: number; position?: number };
  erased?: boolean;
}

export interface Attachment {
  id: number;
  fileIdentifier: string;
  originalFileName: string;
  type: string;
  /** pending, passed or blocked; absent: passed. */
  state?: string;
}

export interface CardButton {
  title: string;
  type: string;
  uri?: string;
  data?: string;
}

export interface Card {
  title?: string;
  subtitle?: string;
  coverImageUrl?: string;
  buttons?: CardButton[];
}

/** What a message has besides its text. */
export interface Payload {
  templates?: Card[];
  quickReplies?: Array<{ title: string; imageUrl?: string }>;
  enableFreeTextInput?: boolean;
}

/** An entry of the conversation. */
export interface Transaction {
  seq: number;
  dateTime: string;
  type: string;
  text: string;
  status: string;
  fromType: string;
  fromName?: string;
  attachments: Attachment[];
  clientId?: string;
  payload?: Payload | null;
}

/** GET /hub/v1/visit; the channel's snapshot has the first two. */
export interface VisitAnswer {
  ticket: Ticket;
  transactions: Transaction[];
  /** There is something before the first of them. */
  more?: boolean;
  survey?: { open: boolean; answered: boolean };
  limits?: { text: number; file: number };
  lines?: Line[];
}

/** POST /hub/v1/visit/files. */
export interface UploadedFile {
  file: string;
  name: string;
  size: number;
  type: string;
  state: string;
}
