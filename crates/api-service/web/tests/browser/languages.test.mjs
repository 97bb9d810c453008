// The languages: the page speaks the browser's from its first moment, another one as soon as it is chosen, and English
// where the words of another cannot be had.

import assert from "node:assert/strict";

import { assertFits, assertUsable, face, openPage, PHONE, shot } from "./browser.mjs";
import { setStage } from "./stage.mjs";

const { asGuest } = setStage();

const GERMAN = { locale: "de-DE" };

/** Makes an account by the German form. */
async function signUpInGerman(page) {
  await page.getByRole("link", { name: "Leg ein Konto an" }).click();
  await page.getByRole("heading", { name: "Konto anlegen" }).waitFor();
  await page.getByLabel("Name").fill("Ada Moving");
  await page.getByLabel("E-Mail").fill(`sprache-${process.pid}-${Date.now()}@example.com`);
  await page.getByLabel("Passwort").fill("kurz");
  await page.getByRole("button", { name: "Konto anlegen" }).click();
  await page.getByText("Dein Passwort braucht mindestens 8 Zeichen.").waitFor();
  await assertUsable(page, "sign up in German");
  await page.getByLabel("Passwort").fill("ein ziemlich langes Passwort");
  await page.getByRole("button", { name: "Konto anlegen" }).click();
  await page.getByRole("heading", { name: "Was wollen wir filmen, Ada?" }).waitFor();
}

asGuest("a German browser is spoken to in German, from the first moment to the price", GERMAN, async (scene) => {
  const { context, page, system } = scene;
  // Whatever is drawn is looked at before it is painted.
  const watch = (opened) =>
    opened.addInitScript(() => {
      globalThis.drawn = [];
      new MutationObserver(() => {
        const heading = document.querySelector("h1")?.textContent;
        if (heading && globalThis.drawn.at(-1) !== heading) globalThis.drawn.push(heading);
      }).observe(document, { childList: true, subtree: true, characterData: true });
    });
  const fresh = await openPage(context, system, "", watch);
  await fresh.getByRole("heading", { name: "Willkommen zurück" }).waitFor();
  const drawn = await fresh.evaluate(() => globalThis.drawn);
  assert.deepEqual(drawn.filter((heading) => !["Reelay", "Willkommen zurück"].includes(heading)), []);
  assert.equal(await fresh.evaluate(() => document.documentElement.lang), "de");
  await fresh.close();

  await signUpInGerman(page);
  await page.getByLabel("Beschreib dein Video").fill("Mach ein Video von einem Fuchs im Schnee");
  await page.getByRole("button", { name: "Senden" }).click();
  const questions = await face(page, "questions");
  await questions.getByText("Ein paar Fragen", { exact: true }).waitFor();
  await questions.getByRole("button", { name: "Weiter" }).click();
  const confirmation = await face(page, "confirmation");
  await confirmation.getByText("Bereit, wenn du es bist").waitFor();
  await confirmation.getByText("16:9, quer", { exact: true }).waitFor();
  await confirmation.getByRole("button", { name: /^Für \d+,\d\d\s\$ machen$/ }).waitFor();
  for (const viewport of [PHONE, { width: 320, height: 640 }]) {
    await page.setViewportSize(viewport);
    await assertFits(page, `confirmation in German, ${viewport.width} px`);
  }
  await assertUsable(page, "confirmation in German");
  await shot(page, "confirmation-german");
});

asGuest("every language fits on a phone", { locale: "de-DE", viewport: PHONE }, async ({ page, system }) => {
  await signUpInGerman(page);
  const named = ["English", "Deutsch", "Español", "Français", "Italiano", "Português"];
  for (const name of named) {
    await page.goto(`${system.url}/#/settings`);
    const radio = page.getByRole("radio", { name, exact: true });
    await radio.check();
    const code = await radio.locator("xpath=following-sibling::span").getAttribute("lang");
    await page.waitForFunction((wanted) => document.documentElement.lang === wanted, code);
    for (const hash of ["#/", "#/videos", "#/usage", "#/settings", "#/nowhere"]) {
      await page.goto(`${system.url}/${hash}`);
      await page.locator("#main h1").waitFor();
      for (const width of [PHONE.width, 320]) {
        await page.setViewportSize({ width, height: PHONE.height });
        await assertFits(page, `${hash} in ${name}, ${width} px`);
      }
      await assertUsable(page, `${hash} in ${name}`);
    }
    await shot(page, `settings-${code}`);
  }
});

asGuest("another language is chosen in the settings, is kept, and costs no draft", GERMAN, async ({ page, system }) => {
  await signUpInGerman(page);
  await page.getByLabel("Beschreib dein Video").fill("ein halber Gedanke");
  await page.getByRole("link", { name: "Einstellungen" }).click();
  assert.equal(await page.getByRole("radio", { name: "Wie der Browser" }).isChecked(), true);
  await page.getByRole("radio", { name: "Français" }).check();
  await page.getByRole("heading", { name: "Réglages", level: 1 }).waitFor();
  await page.getByRole("link", { name: "Nouvelle vidéo", exact: true }).waitFor();
  assert.equal(await page.evaluate(() => document.documentElement.lang), "fr");
  assert.equal(await page.title(), "Réglages · Reelay");
  assert.equal(await page.getByRole("radio", { name: "Français" }).isChecked(), true);
  await page.reload();
  await page.getByRole("heading", { name: "Réglages", level: 1 }).waitFor();
  await page.goto(`${system.url}/#/`);
  assert.equal(await page.getByLabel("Décris ta vidéo").inputValue(), "ein halber Gedanke");
  await page.goto(`${system.url}/#/settings`);
  await page.getByRole("radio", { name: "Comme le navigateur" }).check();
  await page.getByRole("heading", { name: "Einstellungen", level: 1 }).waitFor();
  assert.equal(await page.evaluate(() => localStorage.getItem("reelay.language")), null);
});

asGuest("whoever is not in yet chooses a language, and loses nothing that stands there", GERMAN, async ({ page }) => {
  await page.getByLabel("E-Mail").fill("ada@example.com");
  await page.getByRole("button", { name: "Anmelden" }).click();
  await page.getByText("Gib dein Passwort ein.").waitFor();
  const german = page.getByRole("combobox", { name: "Sprache" });
  assert.equal(await german.inputValue(), "de");
  await german.selectOption("fr");
  await page.getByText("Indique ton mot de passe.").waitFor();
  assert.equal(await page.evaluate(() => document.documentElement.lang), "fr");
  assert.equal(await page.getByLabel("E-mail").inputValue(), "ada@example.com");
  await page.reload();
  await page.getByRole("link", { name: "Crée un compte" }).click();
  await page.getByRole("heading", { name: "Crée ton compte" }).waitFor();
  assert.equal(await page.getByRole("combobox", { name: "Langue" }).inputValue(), "fr");
  for (const width of [PHONE.width, 320]) {
    await page.setViewportSize({ width, height: PHONE.height });
    await assertFits(page, `sign up in French, ${width} px`);
  }
  await assertUsable(page, "sign up in French");
});

asGuest("where the words of a language cannot be had, English stands", { locale: "it-IT" }, async (scene) => {
  const { context, system } = scene;
  await context.route(/\/assets\/it-[\w-]+\.js$/, (route) => route.abort());
  const page = await openPage(context, system);
  await page.getByRole("heading", { name: "Welcome back" }).waitFor();
  assert.equal(await page.evaluate(() => document.documentElement.lang), "en");
  assert.equal(await page.getByRole("combobox", { name: "Language" }).inputValue(), "en");
  await page.getByText("Italiano could not be loaded.").waitFor();
});

asGuest("what is asked for in English is shown in English by a Spanish page", { locale: "es-MX" }, async ({ page }) => {
  await page.getByRole("link", { name: "Crea una cuenta" }).click();
  await page.getByLabel("Correo electrónico").fill(`idioma-${process.pid}@example.com`);
  await page.getByLabel("Contraseña").fill("a long enough password");
  await page.getByRole("button", { name: "Crear cuenta" }).click();
  await page.getByRole("heading", { name: "¿Qué filmamos?" }).waitFor();
  await page.getByLabel("Describe tu video").fill("Make me a video of a fox in the snow");
  await page.getByRole("button", { name: "Enviar" }).click();
  const questions = await face(page, "questions");
  await questions.getByRole("radio", { name: "4 seconds" }).check();
  await questions.getByRole("button", { name: "Continuar" }).click();
  await (await face(page, "confirmation")).getByText("4 s", { exact: true }).waitFor();
});
