// A language model for the tests: a server with chat completions, which a system is told of as of any other. It reads
// plain wishes, such as "a swan on a lake, 4 seconds, landscape", and proposes what a test says for their subject.

import { createServer } from "node:http";
import { text } from "node:stream/consumers";

/** `better(subject)` gives other words, or `null`. `env` are the settings of a system that asks it. */
export async function startModel(better) {
  const server = createServer(async (incoming, outgoing) => {
    const { messages, response_format: wanted } = JSON.parse(await text(incoming));
    const situation = JSON.parse(messages.at(-1).content);
    const { intent } = wanted.json_schema.schema.properties;
    const answer = intent ? read(situation.message) : { enhancedPrompt: better(situation.prompt) };
    if (answer.subject) answer.enhancedPrompt = better(answer.subject);
    const message = { role: "assistant", content: JSON.stringify(answer) };
    outgoing.writeHead(200, { "content-type": "application/json" });
    outgoing.end(JSON.stringify({ choices: [{ message, finish_reason: "stop" }] }));
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    env: {
      INTENT_PROVIDER: "openai",
      INTENT_MODEL: "small",
      INTENT_BASE_URL: `http://127.0.0.1:${server.address().port}/v1`,
      INTENT_TIMEOUT: "30s",
      PROMPT_ENHANCEMENT: "on",
    },
    stop() {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(resolve));
    },
  };
}

/** What a message wants, in the form that is asked for. */
function read(message) {
  const [subject, ...rest] = message.split(", ");
  const seconds = /(\d+) seconds/.exec(rest.join())?.[1];
  const aspectRatio = rest.includes("landscape") ? "16:9" : rest.includes("vertical") ? "9:16" : null;
  return {
    intent: "video",
    language: "en",
    subject: subject.replace(/^make me a video of /i, ""),
    duration: seconds ? Number(seconds) : null,
    aspectRatio,
    resolution: null,
    style: null,
    negativePrompt: null,
    audio: null,
    length: null,
    enhancedPrompt: null,
  };
}
