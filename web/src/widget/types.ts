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
  position?: number;
  wait?: WaitRange;
  created?: string;
  calledAt?: string;
  recalls?: number;
  firstName?: string;
  lastName?: string;
  email?: string;
  answer?: Answer;
  location?: { id: number; name: string; timezone?: string };
  conversation?: { state: string; agent?: string; position?: number; readUpTo: number; seenUpTo?: number };
  erased?: boolean;
}

export interface Attachment {
  id: number;
  type: string;
  fileIdentifier: string;
  originalFileName: string;
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

export interface Payload {
  templates?: Card[];
  quickReplies?: Array<{ title: string; imageUrl?: string }>;
  enableFreeTextInput?: boolean;
}

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

/** GET /hub/v1/visit. */
export interface Visit {
  ticket: Ticket;
  transactions: Transaction[];
  survey?: { open: boolean; answered: boolean };
  limits?: { text?: number; file?: number };
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
