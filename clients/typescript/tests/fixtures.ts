// Things of the wire, whole, of which a test says only what it is about.

import type { Conversation, Generation, Message } from "../src/index.js";

export const TIME = "2026-01-01T00:00:00.000Z";

export function generation(part: Partial<Generation>): Generation {
  return {
    id: "gen_1",
    conversationId: "conv_1",
    messageId: "msg_1",
    userId: "user_1",
    type: "video",
    provider: "veo3",
    model: "veo-3",
    status: "queued",
    prompt: "a paper boat",
    parameters: {},
    posters: [],
    progress: 0,
    attempt: 1,
    eventsCursor: "5",
    createdAt: TIME,
    updatedAt: TIME,
    ...part,
  };
}

export function message(id: string, part: Partial<Message> = {}): Message {
  return { id, conversationId: "conv_1", role: "user", type: "text", content: id, createdAt: TIME, ...part };
}

export function conversation(part: Partial<Conversation> = {}): Conversation {
  return { id: "conv_1", eventsCursor: "5", createdAt: TIME, updatedAt: TIME, ...part };
}
