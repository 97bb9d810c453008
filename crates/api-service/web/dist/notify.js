// Shows notifications where only a service worker may (Chrome on Android), and leads from one to its video. It takes
// no request into its hands: the page is served as if it were not there.

self.addEventListener("notificationclick", (event) => {
  event.notification.close();
  event.waitUntil(lead(event.notification.data));
});

async function lead(hash) {
  const windows = await self.clients.matchAll({ type: "window", includeUncontrolled: true });
  const open = windows.find(({ url }) => new URL(url).pathname === "/");
  if (!open) return void (await self.clients.openWindow(`/${hash}`));
  open.postMessage({ lead: hash });
  await open.focus();
}
