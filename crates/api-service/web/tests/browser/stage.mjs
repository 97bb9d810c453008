// What every file of these tests begins with: a system and a browser of its own, and for each test a window that is
// closed again, in which the page has made no mistake.

import { after, before, test } from "node:test";

import { assertQuiet, launch, signUp, visit } from "./browser.mjs";
import { startSystem } from "./system.mjs";

/** Sets the stage for a file's tests; `settings` are the system's. `stage.browser` is there while they run. */
export function setStage(settings) {
  const stage = { asGuest, asUser, browser: null };
  let system = null;
  before(async () => {
    system = await startSystem(settings);
    stage.browser = await launch();
  });
  after(async () => {
    await stage.browser?.close();
    await system?.stop();
  });

  /** A test in a window of nobody's yet, which `options` say more of. */
  function asGuest(name, options, run) {
    test(name, async () => {
      const { browser } = stage;
      const { context, page } = await visit(browser, system, options);
      try {
        await run({ browser, context, page, system });
        assertQuiet(page);
      } finally {
        await context.close();
      }
    });
  }

  /** A test in a window of somebody who has just made an account. */
  function asUser(name, run) {
    asGuest(name, {}, async (scene) => run({ ...scene, account: await signUp(scene.page) }));
  }

  return stage;
}
