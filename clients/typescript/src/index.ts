// What the package offers.

export { createClient, type AnswerValue, type ClientOptions, type Money, type ReelayClient } from "./client.js";
export { ReelayError, type FieldError, type LocalCode, type Problem } from "./error.js";
export type {
  Conversation,
  ConversationHandlers,
  ConversationUpdate,
  Follower,
  GenerationHandlers,
  Message,
  Status,
} from "./follow.js";
export {
  isRunning,
  isTerminal,
  isWaiting,
  newest,
  type Generation,
  type GenerationStatus,
} from "./generation.js";
export { newKey, type CallOptions, type Token } from "./http.js";
export type { ConnectionState } from "./push/channel.js";
export type { components, operations, paths } from "./schema.js";
export type { WatchOptions } from "./watch.js";
