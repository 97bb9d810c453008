// What there is to be seen in the report: an account with videos and conversations in every state, made by the API so
// that it takes no longer than the videos do. What the simulator is told stands in the words that the model is asked
// with, which no picture shows.

import { describe, face, signUp } from "../tests/browser/browser.mjs";

const WALL = [
  ["a paper boat crosses a rainy street at dusk", "16:9"],
  ["tea fields on a hillside at sunrise", "16:9"],
  ["a fox in the snow under a full moon", "9:16"],
  ["a lighthouse in a storm", "16:9"],
  ["a hot air balloon over a desert canyon", "16:9"],
  ["a tram climbs a steep street in Lisbon", "9:16"],
];
const WISH = "a swan on a lake";

/** Better words for the one wish that is shown with them. */
export const better = (subject) =>
  subject === WISH
    ? "A white swan glides across a still lake at dawn; mist drifts over the water, the camera follows slowly, low above the surface, in soft golden light."
    : null;

/** Asks the API as the page would. */
async function call(page, path, body, method = "POST") {
  return page.evaluate(
    async ([path, body, method]) => {
      const headers = { "content-type": "application/json" };
      const response = await fetch(path, { method, headers, body: JSON.stringify(body) });
      if (!response.ok) throw new Error(`${path}: ${await response.text()}`);
      return response.json();
    },
    [path, body, method],
  );
}

/** Says `words` in a new conversation. */
async function say(page, words) {
  const { id } = await call(page, "/api/conversations", { title: words.split(",")[0] });
  const { generation } = await call(page, `/api/conversations/${id}/messages`, { content: words });
  return generation;
}

/** And yes, to a video that becomes what `marker` says. */
async function order(page, words, marker = "") {
  const generation = await say(page, words);
  const enhancedPrompt = marker ? `${marker} ${generation.prompt}` : null;
  return call(page, `/api/generations/${generation.id}/confirm`, { enhancedPrompt });
}

/** Makes the account and all that it has, on a page of nobody's. Gives the addresses. */
export async function furnish(page, system) {
  await signUp(page, "Ada", "ada@example.com");
  const conversation = (generation) => `#/c/${generation.conversationId}`;
  // First, because how far it is follows from how long others took, and of none that is known.
  const progress = await order(page, "a river at night with lanterns on it, 8 seconds, landscape", "[sim:latency=10m]");
  const videos = [];
  for (const [words, shape] of WALL) {
    videos.push(await order(page, `${words}, 4 seconds, ${shape === "16:9" ? "landscape" : "vertical"}`));
  }
  const failed = await order(page, "a glass marble rolls down a spiral stair, 4 seconds, landscape", "[sim:fail]");
  const filtered = await order(page, "a masked figure on a rooftop, 4 seconds, landscape", "[sim:filtered]");
  const cancelled = await order(page, "a sandcastle before the tide, 4 seconds, landscape", "[sim:never]");
  await call(page, `/api/generations/${cancelled.id}/cancel`, {});
  const shown = async (generation, name) => {
    await page.goto(`${system.url}/${conversation(generation)}`);
    await face(page, name);
  };
  for (const video of videos) await shown(video, "player");
  await shown(failed, "ended");
  await shown(filtered, "ended");
  await shown(cancelled, "ended");

  // The chat, as somebody types who is asked and answers.
  await page.goto(`${system.url}/#/`);
  await describe(page, "Make me a video of a comet over the mountains");
  await face(page, "questions");
  const questions = new URL(page.url()).hash;
  const confirmation = conversation(await say(page, `${WISH}, 8 seconds, landscape`));
  return {
    player: conversation(videos[0]),
    upright: conversation(videos[2]),
    video: `#/videos/${videos[0].id}`,
    failed: conversation(failed),
    filtered: conversation(filtered),
    cancelled: conversation(cancelled),
    questions,
    confirmation,
    progress: conversation(progress),
  };
}
