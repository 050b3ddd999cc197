// Two people talk on the page under /demo, each in a browser of their own. Says what was
// seen as JSON.
//
//   node page.mjs URL ACCOUNTS CHROMIUM FOLDER
//
// ACCOUNTS is JSON: client, reader and admin, each {email, password}. FOLDER takes what the
// browser keeps, and a picture of the page when the journey fails.
import { join } from 'node:path';
import { chromium } from 'playwright-core';

import { call, signIn } from './platform.mjs';

const [url, accounts, executablePath, folder] = process.argv.slice(2);
const people = JSON.parse(accounts);
const PATIENCE = 30_000;
const ARGUMENTS = [
  '--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
  '--disable-component-update', '--disable-sync', '--use-fake-device-for-media-stream', '--use-fake-ui-for-media-stream',
];
/** A red picture of 8 by 8. */
const PICTURE = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAgAAAAICAIAAABLbSncAAAAEUlEQVR42mM4ISeHFTEMLQkAkL9BAc9woTwAAAAASUVORK5CYII=', 'base64');

const seen = { problems: [] };

/** A window of somebody who signs in. All that the browser complains about is kept. */
async function enter(browser, { email, password }, options = {}) {
  const context = await browser.newContext({ permissions: ['microphone'], ...options });
  context.setDefaultTimeout(PATIENCE);
  const page = await context.newPage();
  page.on('pageerror', (error) => seen.problems.push(String(error)));
  page.on('console', (message) => {
    // A connection that is cut is what the test does.
    const expected = /ERR_INTERNET_DISCONNECTED|WebSocket connection/.test(message.text());
    // Media may hear of a file's conversation after the page does, which asks again then.
    const early = /status of 404/.test(message.text()) && message.location().url.startsWith(`${url}/api/media/files/`);
    if (message.type() === 'error' && !expected && !early) seen.problems.push(message.text());
  });
  await page.goto(`${url}/demo`);
  const form = page.locator('#sign-in');
  await form.getByLabel('E-mail address').fill(email);
  await form.getByLabel('Password').fill(password);
  await form.getByRole('button', { name: 'Sign in' }).click();
  await connected(page);
  return { context, page };
}

const connected = (page) => page.getByText('connected', { exact: true }).waitFor();
const said = (page, text) => page.locator('.message', { hasText: text });
const write = async (page, text) => {
  await page.getByLabel('Message', { exact: true }).fill(text);
  await page.getByLabel('Message', { exact: true }).press('Enter');
};
/** What is in the conversation, from top to bottom. */
const words = (page) => page.locator('.message .words').allTextContents();

async function journey(browser) {
  const admin = await signIn(url, people.admin);
  const reader = await signIn(url, people.reader);
  const left = await enter(browser, people.client);
  const right = await enter(browser, people.reader, { viewport: { width: 390, height: 780 } });

  // The client begins the conversation, and the reader finds it in the list without loading the page again.
  await left.page.getByLabel('Begin one with the account').fill(reader.id);
  await left.page.getByRole('button', { name: 'Begin' }).click();
  await left.page.getByRole('log').waitFor({ state: 'attached' });
  await right.page.locator('#sessions button').click();
  await right.page.getByLabel('Message', { exact: true }).waitFor();
  await left.page.locator('#people li[data-status=online]', { hasText: 'reader' }).waitFor();
  seen.presence = true;

  // Typing is seen, and text goes both ways; the markup in it is text.
  await right.page.getByLabel('Message', { exact: true }).pressSequentially('Good evening');
  await left.page.getByText('is typing').waitFor();
  seen.typing = true;
  await write(right.page, 'Good evening. <b>What</b> is on your mind?');
  await said(left.page, '<b>What</b>').waitFor();
  await write(left.page, 'سؤال من القلب');
  await said(right.page, 'سؤال').waitFor();
  seen.arabic = await said(right.page, 'سؤال').locator('.words').evaluate((at) => getComputedStyle(at).direction);
  await said(left.page, 'سؤال').getByText('read', { exact: true }).waitFor();
  seen.read = true;

  // A reaction, which the same again takes back.
  const thumb = said(left.page, 'سؤال').getByLabel('Reactions').getByText('👍 1');
  await said(right.page, 'سؤال').getByRole('button', { name: 'React with 👍' }).click();
  await thumb.waitFor();
  await said(right.page, 'سؤال').getByRole('button', { name: 'React with 👍' }).click();
  await thumb.waitFor({ state: 'detached' });
  await said(right.page, 'سؤال').getByRole('button', { name: 'React with ❤️' }).click();
  await said(left.page, 'سؤال').getByText('❤️ 1').waitFor();
  seen.reaction = true;

  // The reader loses the connection; what both write meanwhile arrives once and in order.
  await right.context.setOffline(true);
  await right.page.getByText('the connection is lost').or(right.page.getByText('connecting again')).waitFor();
  await write(right.page, 'written without a connection');
  await said(right.page, 'written without').getByText('waiting for the connection').waitFor();
  for (const text of ['one', 'two', 'three']) {
    await write(left.page, `missed: ${text}`);
    await said(left.page, `missed: ${text}`).getByText('sent', { exact: true }).waitFor();
  }
  await right.context.setOffline(false);
  await right.page.getByText('Back again. Missed meanwhile: 3').waitFor();
  await said(left.page, 'written without').waitFor();
  seen.order = { left: await words(left.page), right: await words(right.page) };

  // A picture, seen when it was looked at.
  await left.page.locator('#file').setInputFiles({ name: 'cup.png', mimeType: 'image/png', buffer: PICTURE });
  const picture = right.page.locator('.message img[alt="cup.png"]');
  await picture.waitFor();
  await picture.scrollIntoViewIfNeeded();
  await right.page.waitForFunction((at) => at.complete && at.naturalWidth > 0, await picture.elementHandle());
  seen.picture = await picture.evaluate(({ naturalWidth, naturalHeight }) => [naturalWidth, naturalHeight]);

  // A voice note from the microphone, heard again before it is sent.
  await left.page.getByRole('button', { name: 'Record' }).click();
  await left.page.getByText('Recording 0:02').waitFor();
  await left.page.getByRole('button', { name: 'Stop' }).click();
  await left.page.getByRole('button', { name: 'Send recording' }).click();
  const note = right.page.locator('.message .voice');
  await note.waitFor();
  await note.locator('svg rect').first().waitFor({ state: 'attached' });
  seen.bars = await note.locator('svg rect').count();
  seen.tall = await note.locator('svg rect').evaluateAll((bars) => bars.filter((bar) => bar.height.baseVal.value > 2).length > 0);
  seen.length = await note.locator('.length').textContent();
  seen.played = await note.locator('audio').evaluate(async (audio) => {
    await audio.play();
    await new Promise((heard) => { audio.addEventListener('ended', heard, { once: true }); });
    return audio.currentTime > 1;
  });

  // News comes over the same connection.
  const { id } = await signIn(url, people.client);
  const news = { user_ids: [id], type: 'announcement', title: 'A word from the house', message: 'Open until ten.' };
  await call(url, admin.token, 'POST', '/api/notifications/send', news);
  await left.page.locator('#notices').getByText('A word from the house').waitFor();
  seen.notification = true;
  seen.sockets = await left.page.evaluate(() =>
    performance.getEntriesByType('resource').every(({ name }) => name.startsWith(location.origin) || name.startsWith('blob:')));

  // The page is left in good order: loaded again it is signed in, signed out it is not.
  await left.page.reload();
  await connected(left.page);
  await left.page.locator('#sessions button').click();
  await said(left.page, 'missed: three').waitFor();
  seen.again = await words(left.page);
  await pictures(left, right);
  await left.page.getByRole('button', { name: 'Sign out' }).click();
  await left.page.locator('#sign-in').waitFor();
}

/** How the page looks, for whoever wants to see it. */
async function pictures(left, right) {
  await left.page.screenshot({ path: join(folder, 'left.png') });
  await right.page.screenshot({ path: join(folder, 'right.png') });
}

const browser = await chromium.launch({ executablePath, headless: true, args: ARGUMENTS });
try {
  await journey(browser);
  process.stdout.write(JSON.stringify(seen));
} catch (error) {
  for (const context of browser.contexts()) {
    for (const page of context.pages()) {
      const name = `failed-${crypto.randomUUID().slice(0, 8)}.png`;
      await page.screenshot({ path: join(folder, name) }).catch(() => {});
      console.error(join(folder, name), await page.locator('#problem').textContent().catch(() => ''));
    }
  }
  console.error(JSON.stringify(seen), error);
  process.exitCode = 1;
} finally {
  await browser.close();
}
