// Keeps the phone page usable without a network: its scripts, the pages this user has opened, and
// (put there by the page itself) the drafts as the server has them. VERSION and FILES stand above.

const USER = new URL(self.location).searchParams.get("user");
const CACHE = `portal.phone.${USER}`;
const PATIENCE = 8000; // ms until a kept copy stands in for a network that does not answer
const ASSET = /^\/phone\/assets\//;
const DRAFT = /^\/api\/drafts\/\d+$/;
const PLACES = /^\/api\/(villages\/\d+|layers\/county)\.geojson$/;

const nameOf = (address) => address.split("/").pop();

self.addEventListener("install", (event) => {
  event.waitUntil(caches.open(CACHE).then((cache) => cache.addAll(FILES)).then(() => self.skipWaiting()));
});

self.addEventListener("activate", (event) => {
  event.waitUntil(Promise.all([forgetOthers(), forgetOldFiles()]).then(() => self.clients.claim()));
});

async function forgetOthers() {
  const names = await caches.keys();
  await Promise.all(names.filter((name) => name.startsWith("portal.phone.") && name !== CACHE).map((name) => caches.delete(name)));
}

async function forgetOldFiles() {
  const cache = await caches.open(CACHE);
  const kept = await cache.keys();
  const old = kept.filter(({ url }) => ASSET.test(new URL(url).pathname) && !FILES.includes(new URL(url).pathname));
  await Promise.all(old.map((request) => cache.delete(request)));
}

self.addEventListener("fetch", (event) => {
  const { request } = event;
  const { origin, pathname } = new URL(request.url);
  if (request.method !== "GET" || origin !== self.location.origin) return;
  if (ASSET.test(pathname)) event.respondWith(file(request, pathname));
  else if (request.mode === "navigate") event.respondWith(page(request, pathname));
  else if (PLACES.test(pathname)) event.respondWith(places(request));
  else if (DRAFT.test(pathname)) event.respondWith(networkFirst(request, (cache) => cache.match(pathname)));
});

/** A page kept from an older version asks for older files: those of today stand in for them. */
async function file(request, pathname) {
  const cache = await caches.open(CACHE);
  const kept = await cache.match(pathname);
  if (kept) return kept;
  const standIn = FILES.find((address) => nameOf(address) === nameOf(pathname));
  return fetch(request).catch(async () => (await cache.match(standIn)) ?? Response.error());
}

async function page(request, pathname) {
  const answer = await networkFirst(request, async (cache) => (await cache.match(pathname)) ?? notHere());
  const user = answer.headers.get("X-Portal-User");
  if (user && user !== USER) await Promise.all((await caches.keys()).map((name) => caches.delete(name)));
  else if (user && answer.ok) await (await caches.open(CACHE)).put(pathname, answer.clone());
  return answer;
}

async function places(request) {
  const answer = await networkFirst(request, (cache) => cache.match(request.url));
  if (answer.ok) await (await caches.open(CACHE)).put(request.url, answer.clone());
  return answer;
}

async function networkFirst(request, findKept) {
  const asked = fetch(request);
  try {
    const late = new Promise((done) => setTimeout(done, PATIENCE));
    const answer = await Promise.race([asked, late]);
    if (answer) return answer;
  } catch {
    return (await findKept(await caches.open(CACHE))) ?? Response.error();
  }
  return (await findKept(await caches.open(CACHE))) ?? asked;
}

function notHere() {
  const words = "没有网络，而这一页还没有在本机打开过。";
  const body = `<!doctype html><html lang="zh-CN"><meta name="viewport" content="width=device-width"><title>离线</title><h1>离线</h1><p>${words}</p><p><a href="/phone">返回村庄列表</a></p>`;
  return new Response(body, { status: 503, headers: { "Content-Type": "text/html; charset=utf-8" } });
}
