// What the page knows of the server's things. The shapes are the client's, which come from the server's own
// description; here stands only what the page adds.

import type { components, Generation as Told } from "@reelay/client";

export type { AnswerValue, Conversation, GenerationStatus, Message, Money } from "@reelay/client";

type Schemas = components["schemas"];
export type ClarificationQuestion = Schemas["ClarificationQuestion"];
export type ImageInput = Schemas["ImageInput"];
export type ImageRole = Schemas["ImageRole"];
export type OfferedModel = Schemas["OfferedModel"];
export type Parameters = Schemas["Parameters"];
export type Period = Schemas["Period"];
export type Usage = Schemas["Usage"];
export type User = Schemas["User"];

/** A generation, with what a status answer tells beyond it. */
export type Generation = Told;

// How the page hears of news.
export type { ConnectionState } from "@reelay/client";

/** An uploaded picture beside a message that is not sent yet. */
export interface Attachment {
  uploadId: string;
  role: ImageRole;
  name: string;
  /** A small copy of it as a `data:` address, where the browser could make one. */
  preview?: string;
}

/** Why something did not come to be. `model/failure.ts` says it to a person. */
export interface Failure {
  /** The HTTP status; 0 if the server could not be reached. */
  status: number;
  code: string;
  /** The server's own words, for what the page has none for. */
  detail: string;
  /** What is wrong with each field, in the server's words. */
  fields: Readonly<Record<string, string>>;
  /** What the server's log knows it by, if that is of use: of a mistake of the server's own. */
  requestId?: string | null;
  /** From when on it goes again, for what a budget stands against. */
  resetsAt: string | null;
}
