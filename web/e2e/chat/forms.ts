// The forms of the conversation API as its description gives them, closed: a
// member too many or too few, a date or an id in another style is an error.
import { z } from "zod";

/** How a time that has not come is written. */
export const NEVER = "0001-01-01T00:00:00";
export const NO_GUID = "00000000-0000-0000-0000-000000000000";

const GUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
// The fraction is optional and trimmed: it has no zero at its end.
const SEED_DATE = /^\d{4}-(0[1-9]|1[0-2])-([0-2]\d|3[01])T([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d{0,6}[1-9])?$/;
const SPAN = /^(\d+\.)?([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d{1,7})?$/;

const guid = z.string().regex(GUID);
const realGuid = guid.refine((v) => v !== NO_GUID, "the zero GUID");
const count = z.int().min(0);
const date = z.string().regex(SEED_DATE).refine((v) => !Number.isNaN(Date.parse(`${v}Z`)), "no day of the calendar");
const someDate = date.refine((v) => v !== NEVER, "never");
const zonedDate = z.iso.datetime({ offset: false }).regex(/(:\d\d|\.\d{1,7})Z$/);
const span = z.string().regex(SPAN);
const link = z.url({ protocol: /^https?$/ });
const text = z.string();

export const protocols = [
  "SMS", "WhatsApp", "Mail", "Web", "FBmessenger", "WebViaSMS", "TelegramBot", "FacebookFeed", "InstagramFeed", "PhoneCall", "InstagramDM",
  "Viber", "Twitter", "AppleBusinessChat", "GoogleBusinessMessages", "GoogleBusinessReviews", "Undefined",
] as const;
const protocol = z.enum(protocols);
const state = z.enum(["Open", "Closed", "Pending", "Snoozed"]);
const culture = z.enum(["en-US", "he-IL", "es-ES", "pt-PT"]);

export const TokenForm = z.strictObject({ access_token: text.min(1), token_type: z.literal("bearer"), expires_in: z.number().positive() });
export const MessageReply = z.strictObject({ Message: text.min(1) });
export const ErrorForm = z.strictObject({ message: text.min(1) });

const ownerShape = {
  id: realGuid, gender: z.enum(["Undefined", "Male", "Female", "notApplicable"]), UserName: text.includes("@"), culture: text,
  isAnonymous: z.boolean(), uniqueArgument: text, type: z.enum(["AGENT", "BOT", "API"]),
};
export const OwnerForm = z.strictObject(ownerShape);

export const statuses = ["Offline", "Break", "Break2", "Break3", "Break4", "Break5", "Online"] as const;
export const roles = [
  "MasterUser", "DepartmentAdmin", "SystemUser", "ReadOnly", "DataControler", "EmailSession", "webChat", "FaceBookMessenger", "FaceBookPosts",
  "SMSchat", "WhatsApp", "InstagramFeed", "InstagramDM", "PhoneCall", "Viber", "AppleBusinessChat",
] as const;
export const UserForm = z.strictObject({
  ...ownerShape, fullName: text, shortName: text, jobTitle: text, status: z.enum(statuses), roles: z.array(z.enum(roles)),
});

const speakerShape = {
  id: count, name: text, displayName: text.nullable(), protocolType: protocol,
  subProtocolType: z.enum(["Undefined", "MailTo", "MailCc", "MailBcc"]), isActive: z.boolean(), isDeleted: z.boolean(), identifier: text,
  type: z.enum(["Client", "User", "System"]), contactId: guid, departmentIdentifier: text,
};
export const ParticipantForm = z
  .strictObject({ ...speakerShape, userName: text })
  .refine((p) => p.id > 0 && p.type !== "System", "participants are numbered from 1 and people")
  .refine((p) => p.type !== "User" || p.contactId === NO_GUID, "users are no contacts")
  .refine((p) => p.type === "User" || p.userName === "", "userName is empty for clients")
  .refine((p) => p.type === "Client" || (GUID.test(p.identifier) && p.protocolType === "Web"), "users are known by id, on the web");
/** Who wrote: as a participant, but for the userName that the form leaves out. */
export const SpeakerForm = z
  .strictObject(speakerShape)
  .refine((p) => p.type !== "System" || (p.id === 0 && p.name === "" && p.displayName === null && p.protocolType === "Undefined" &&
    p.subProtocolType === "Undefined" && p.isActive && !p.isDeleted && p.identifier === NO_GUID), "the system has a form of its own");

export const AttachmentForm = z.strictObject({
  id: count, type: z.enum(["Image", "Video", "Document", "File", "Solution", "InteractiveDocument", "Audio"]), fileIdentifier: text,
  originalFileName: text.min(1), thumbnails: z.array(link), thumbnailsFileIdentifiers: z.array(text), uri: link, isEmbedded: z.boolean(),
  sanitizationState: z.enum(["Undefined", "Allowed", "Blocked", "Processing"]),
});

export const TransactionForm = z
  .strictObject({
    guidTransactionId: realGuid, id: z.int().min(1), dateTime: someDate, fromProtocolType: protocol, type: text.min(1), text, html: text,
    status: z.enum(["Delivered", "Read", "Pending", "Sent", "Rejected", "Failed"]), fromParticipant: SpeakerForm,
    attachments: z.array(AttachmentForm), payload: z.looseObject({}).nullable(),
  })
  .refine((t) => t.fromParticipant.type !== "System" || (t.fromProtocolType === "Undefined" && t.status === "Read"), "the system's entries are Undefined and Read")
  .refine((t) => t.fromParticipant.type !== "User" || t.fromProtocolType === "Web", "users write from the web");

const utm = z.strictObject({ utm_source: text, utm_medium: text, utm_campaign: text, utm_content: text, utm_term: text });
// What newer forms have beside the first one may be left out.
export const DetailsForm = z.strictObject({
  userAgent: text, iPAddress: text, location: text, cardsPath: text.optional(), source: z.strictObject({ title: text, uri: text.nullable() }),
  externalLink: link.nullish(), isMobile: z.boolean().optional(), identityTokenClaims: z.record(text, text).nullish(),
  referral: z.strictObject({
    utmParameters: utm.nullable(), adId: text, adTitle: text, productId: text, refData: text, fbPostId: text, instagramStoryId: text.optional(),
    instagramStoryMediaUrl: link.nullish(), appleIntentId: text.optional(), appleGroupId: text.optional(), twitterRootTweetId: text.optional(),
    tikTokVideoId: text.optional(), tikTokCommentId: text.optional(), whatsappHeadline: text.optional(), whatsappBody: text.optional(),
    whatsappSourceType: text.optional(), whatsappSourceId: text.optional(), whatsappSourceUrl: link.nullish(),
  }),
});

export const DynamicForm = z.strictObject({
  id: realGuid, flowId: guid, name: text, value: z.unknown(), type: z.enum(["String", "Number", "Boolean", "Location", "Attachment"]),
  creationDatetime: zonedDate, description: text, strValue: text.nullable(), boolValue: z.boolean().nullable(), numValue: z.number().nullable(),
  intValue: z.int().nullable(),
});
const step = z.strictObject({
  departmentId: guid, botConversationId: guid, flowId: guid, uniqueCardId: guid, flowVersion: z.number(), flowName: text, stepType: text,
  cardFriendlyName: text, visitDatetime: date,
});

const fields = {
  field1: text, field2: text, field3: text, field4: text, field5: text, field6: text, field7: text, field8: text, field9: text, field10: text,
};
const figures = {
  firstCustomerMessageDateTime: someDate.nullable(), firstAgentMessageDateTime: someDate.nullable(),
  lastCustomerMessageDateTime: someDate.nullable(), lastAgentMessageDateTime: someDate.nullable(), firstAgentMessageUserId: realGuid.nullable(),
  firstAgentAllocationTimestamp: someDate.nullable(), lastAgentAllocationTimestamp: someDate.nullable(), queueTimeGross: span.nullable(),
  queueTimeNet: span.nullable(), firstAgentResponseTimeGross: span.nullable(), firstAgentResponseTimeNet: span.nullable(),
  agentAssignToResponseTimeGross: span.nullable(), agentAssignToResponseTimeNet: span.nullable(), agentResponseAverageTimeNet: span.nullable(),
  totalConversationTimeNet: span.nullable(), durationGross: span, durationNet: span, agentMediaCount: count, customerMediaCount: count,
  agentMessagesCount: count, customerMessagesCount: count, agentCannedRepliesCount: count, transactionsCount: count,
};
const listed = {
  id: z.int().min(1), departmentId: realGuid, ...fields, culture, ticketType: z.enum(["Regular", "Bot", "GlassixBot"]), tags: z.array(text),
  owner: OwnerForm.nullable(), state, open: someDate, close: date, lastActivity: someDate, uniqueArgument: text, primaryProtocolType: protocol,
  details: DetailsForm, participants: z.array(ParticipantForm).min(1), dynamicParameters: z.array(DynamicForm), movedToTicketId: count,
  movedFromTicketId: count, movedToDepartmentId: guid, movedFromDepartmentId: guid, ...figures, botConversationId: guid,
  botConversations: z.array(guid), botConversationSteps: z.array(step), isIncoming: z.boolean(), isScrambled: z.boolean(),
  wasClosedAutomatically: z.boolean(),
  ticketSummary: z.strictObject({ userId: guid, lastUpdateTimestamp: someDate.nullable(), value: text }).nullable(),
  nestedTicketsIds: z.array(z.int()), parentNestedTicketId: count,
};
/** Lists leave the thread out. */
export const ListedForm = z.strictObject(listed).refine((t) => (t.state === "Closed") === (t.close !== NEVER), "close is set while closed");
export const TicketForm = z
  .strictObject({ ...listed, transactions: z.array(TransactionForm) })
  .refine((t) => t.isScrambled || t.transactions.length > 0, "there is a thread")
  .refine((t) => t.isScrambled || t.participants.every((p) => p.type === "User" || p.contactId !== NO_GUID), "clients are contacts")
  .refine((t) => (t.state === "Closed") === (t.close !== NEVER), "close is set while closed")
  .refine((t) => t.transactions.every((x, i) => i === 0 || x.id < (t.transactions[i - 1]?.id ?? 0)), "the newest entry comes first")
  .refine((t) => new Set(t.transactions.map((x) => x.guidTransactionId)).size === t.transactions.length, "an entry comes once")
  .refine((t) => new Set(t.participants.map((p) => p.id)).size === t.participants.length, "a participant's number is theirs");

export const ListForm = z.strictObject({ tickets: z.array(ListedForm).max(100), paging: z.strictObject({ next: link.optional() }) });
export const TagForm = z.strictObject({ name: text.min(1), color: text.regex(/^#[0-9A-Fa-f]{6}$/), parentTags: z.array(text), isDeleted: z.boolean() });
export const IdentifierForm = z.strictObject({
  id: z.int().min(1), contactId: realGuid,
  identifierType: z.enum(["Undefined", "PhoneNumber", "MailAddress", "FacebookId", "InstagramId", "Web", "InstagramIGSID", "ClientViberID",
    "ClientAppleBusinessChatID", "ClientTwitterId", "ClientGoogleBusinessMessagesId", "ClientGoogleBusinessReviewerId", "TikTokId"]),
  identifier: text, lastAccessed: zonedDate, isVerified: z.boolean(), isDeleted: z.boolean(), isScrambled: z.boolean(),
});
export const ContactForm = z.strictObject({
  id: realGuid, name: text, identifiers: z.array(IdentifierForm), uniqueArgument: text, imageFileIdentifier: text, imageUri: link.nullable(),
  creationDateTime: zonedDate, updateDateTime: zonedDate, isDeleted: z.boolean(), isScrambled: z.boolean(), tags: z.array(text),
});
export const ReplyForm = z.strictObject({
  id: z.int().min(1), title: text, text, html: text, rank: z.int(), autoTags: z.array(text), categoryName: text, culture: text,
  isPublished: z.boolean(), isSuggested: z.boolean(), isIncludedInAgentSuggestions: z.boolean(), attachments: z.array(z.unknown()),
});
export const MessageForm = z.strictObject({
  text, html: text, protocolType: z.enum(["SMS", "WhatsApp", "AppleBusinessChat"]), attachmentUris: z.array(link), from: text.min(1),
  to: text.min(1), dateTime: zonedDate, providerMessageId: text, departmentId: realGuid,
  status: z.enum(["Pending", "Sent", "Delivered", "Read", "Rejected", "Failed"]), files: z.array(link), serviceProvider: z.int(),
});
export const StatusForm = z.strictObject({ Status: z.enum(statuses), _Status: z.union([z.literal(10), z.int().min(1).max(6)]) });
export const DeletedForm = z.strictObject({ Message: text.min(1), DeletedFromDepartments: z.array(guid) });
export const StatusLogForm = z.strictObject({
  userId: realGuid, userName: text,
  dates: z.array(z.strictObject({
    date, totalOnlineTime: span, totalBreakTime: span, totalBreak2Time: span, totalBreak3Time: span, totalBreak4Time: span,
    totalBreak5Time: span, totalOfflineTime: span,
    statusLogs: z.array(z.strictObject({ dateTime: zonedDate, nextStatus: z.enum(statuses), doNotDisturb: z.boolean() })),
  })),
});

const ticketId = z.int().min(1);
const uniqueArgument = text;
const survey = z.strictObject({
  id: z.int(), surveyId: z.int(), title: text, value: text, headerTitle: text, isDisabled: z.boolean(), isMandatory: z.boolean(),
  questionType: z.enum(["Undefined", "Rating", "Text"]),
});
const ChangeForm = z.discriminatedUnion("_event", [
  z.strictObject({ _event: z.literal("NEW_TICKET"), ticketId, ticket: TicketForm, uniqueArgument }),
  z.strictObject({ _event: z.literal("NEW_MESSAGE"), ticketId, transaction: TransactionForm, uniqueArgument }),
  z.strictObject({ _event: z.literal("TICKET_STATE_CHANGE"), ticketId, ticketState: state, ticket: z.union([TicketForm, ListedForm]).optional(), uniqueArgument }),
  z.strictObject({ _event: z.literal("TICKET_OWNER_CHANGE"), ticketId, ownerId: guid, ownerUserName: text.optional(), uniqueArgument }),
  z.strictObject({ _event: z.literal("USER_STATUS_CHANGE"), userId: realGuid, userName: text, userStatus: z.enum(statuses), doNotDisturb: z.boolean(), uniqueArgument }),
  z.strictObject({
    _event: z.literal("DOCUMENT_SIGNED"), ticketId, uniqueArgument,
    document: z.strictObject({ id: text, title: text, fields: z.array(z.strictObject({ type: text, name: text, value: text.optional() })) }),
  }),
  z.strictObject({ _event: z.literal("NON_TICKET_MESSAGE_STATUS"), ticketId: z.null().optional(), message: MessageForm, uniqueArgument: text.optional() }),
  z.strictObject({ _event: z.literal("SURVEY_UPDATE"), ticketId, participant: SpeakerForm, surveys: z.array(survey).min(1), uniqueArgument }),
]);
/** One change per event: receivers look at the first one only. */
export const EventForm = z.strictObject({
  key: realGuid, dateTime: zonedDate, changes: z.array(ChangeForm).length(1), queueReceiptHandle: text.min(1), queueMessageId: text.min(1),
});

export type Token = z.infer<typeof TokenForm>;
export type Done = z.infer<typeof MessageReply>;
export type Ticket = z.infer<typeof TicketForm>;
export type Listed = z.infer<typeof ListedForm>;
export type List = z.infer<typeof ListForm>;
export type Transaction = z.infer<typeof TransactionForm>;
export type Participant = z.infer<typeof ParticipantForm>;
export type Attachment = z.infer<typeof AttachmentForm>;
export type User = z.infer<typeof UserForm>;
export type UserStatus = z.infer<typeof StatusForm>;
export type StatusLog = z.infer<typeof StatusLogForm>;
export type Deleted = z.infer<typeof DeletedForm>;
export type Tag = z.infer<typeof TagForm>;
export type Contact = z.infer<typeof ContactForm>;
export type Reply = z.infer<typeof ReplyForm>;
export type Message = z.infer<typeof MessageForm>;
export type Change = z.infer<typeof ChangeForm>;
export type ChatEvent = z.infer<typeof EventForm>;
