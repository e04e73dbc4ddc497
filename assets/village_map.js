// The map of villages: borders, circles of counts or points with names, drawn on a plain canvas.
//
// Without WebGL: a browser without a GPU takes seconds to translate the programs of a WebGL map, and
// draws this picture in some hundredths of a second. Places are parts of the world in EPSG:3857.
const TILE = 512; // pixels of the world at zoom 0
const ROOM = 0.94; // of the box that an area may fill
const MARGIN = 32; // pixels: a circle reaches into the tile beside it
const SLIP = 6; // pixels that a finger may slip in a click
const NEAR = 6; // pixels from a point that still hit it
const MOST_TILES = 300;
const AGAIN = 4000; // ms until a tile that did not come is asked for again
const LATER = 400; // ms after a movement until the address tells the place
const POINT = 4; // pixels
const FINE = 10; // zoom from which borders are drawn as they are kept, not simplified
const OVERHANG = 1.4; // how far a county's name may stick out of its inner circle
const ASIDE = 30; // pixels that the name of a city may always move
// Where the name of a division may stand beside its place, in pixels, the nearest first.
const BESIDE = [0, -14, 14, -28, 28].flatMap((down) => [0, -20, 20, -40, 40].map((across) => [across, down]))
  .sort((a, b) => Math.hypot(...a) - Math.hypot(...b));
const FONT = "'Noto Sans CJK SC', 'Microsoft YaHei', 'PingFang SC', sans-serif";
const RING = "#D4380D";

const between = (value, least, most) => Math.min(Math.max(value, least), most);
const worldOf = (longitude, latitude) => [
  (longitude + 180) / 360,
  (1 - Math.asinh(Math.tan(latitude * Math.PI / 180)) / Math.PI) / 2,
];
const degreesOf = (x, y) => [x * 360 - 180, Math.atan(Math.sinh(Math.PI * (1 - 2 * y))) * 180 / Math.PI];

const made = (tag, attributes, ...children) => {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  node.append(...children);
  return node;
};

class VillageMap {
  constructor(parent) {
    this.canvas = made("canvas", { tabindex: "0", role: "img" });
    // What is drawn by the processor alone is there at once; a GPU would win nothing here.
    this.context = this.canvas.getContext("2d", { willReadFrequently: true });
    this.tip = made("div", { class: "map-tip", hidden: "" });
    this.where = made("p", { class: "map-where", hidden: "" });
    this.node = made("div", { class: "village-map" }, this.canvas, this.where, this.tip, this.buttons());
    this.fingers = new Map();
    this.sprites = new Map();
    this.widths = new Map();
    this.borders = new Map();
    this.drawn = [];
    this.listen();
    parent.append(this.node);
    this.watching = new ResizeObserver(() => this.resize());
    this.watching.observe(this.node);
  }

  buttons() {
    const button = (sign, words, act) => {
      const node = made("button", { type: "button", title: words, "aria-label": words }, sign);
      node.addEventListener("click", act);
      return node;
    };
    return made("div", { class: "map-zoom" },
      button("+", "放大", () => this.zoomBy(1)),
      button("−", "缩小", () => this.zoomBy(-1)),
      button("⤢", "全屏", () => this.fill()));
  }

  fill() {
    if (document.fullscreenElement) document.exitFullscreen();
    else this.node.closest(".st-key-village-map-card")?.requestFullscreen();
  }

  /** Show what the page asks for; called at every run of its script. */
  show(data, pick) {
    if (data.tiles !== this.data?.tiles) {
      // The picture from before stays until the new one is whole.
      this.before = this.source;
      this.source = { address: data.tiles, tiles: new Map() };
    }
    if (data.names !== this.data?.names) this.readNames(data.names);
    Object.assign(this, { data, pick });
    this.canvas.setAttribute("aria-label", data.title);
    const asked = JSON.stringify(data.place);
    if (asked !== this.asked) {
      this.asked = asked;
      // A place that the map itself wrote into the address is where it is already.
      if (!this.zoom || this.placeOf(data.place) !== this.told) this.go(data.place);
    }
    this.resize();
    this.plan();
  }

  /** Return the borders for this zoom; until they are there the simplified ones. */
  bordersHere() {
    const [simple, fine] = this.data.borders;
    const wanted = this.zoom < FINE ? simple : fine;
    if (!this.borders.has(wanted)) this.readBorders(wanted);
    return this.borders.get(wanted) ?? this.borders.get(simple) ?? [];
  }

  async readBorders(address) {
    this.borders.set(address, null);
    try {
      const levels = [[], [], []];
      const pieces = await (await fetch(address)).json();
      for (const { start, end, level } of pieces) levels[level].push(...worldOf(...start), ...worldOf(...end));
      this.borders.set(address, levels);
      this.plan();
    } catch {
      setTimeout(() => {
        this.borders.delete(address);
        this.plan();
      }, AGAIN);
    }
  }

  async readNames(address) {
    try {
      const names = await (await fetch(address)).json();
      this.names = names.map((each) => ({ ...each, at: worldOf(each.longitude, each.latitude) }));
      this.plan();
    } catch {
      setTimeout(() => this.readNames(address), AGAIN);
    }
  }

  // WHERE IT LOOKS

  go(place) {
    this.moved = false;
    this.area = "west" in place ? place : null;
    if (this.area) this.fit();
    else {
      [this.x, this.y] = worldOf(place.longitude, place.latitude);
      this.zoom = place.zoom;
    }
  }

  fit() {
    if (!this.width) return;
    const { west, south, east, north } = this.area;
    const [left, top] = worldOf(west, north);
    const [right, bottom] = worldOf(east, south);
    const scale = Math.min(this.width / (right - left), this.height / (bottom - top)) * ROOM;
    [this.x, this.y] = [(left + right) / 2, (top + bottom) / 2];
    this.zoom = between(Math.round(Math.log2(scale / TILE) * 100) / 100, this.data.least, this.data.most);
  }

  get scale() {
    return TILE * 2 ** this.zoom;
  }

  pixel(x, y) {
    return [(x - this.x) * this.scale + this.width / 2, (y - this.y) * this.scale + this.height / 2];
  }

  world([x, y]) {
    return [(x - this.width / 2) / this.scale + this.x, (y - this.height / 2) / this.scale + this.y];
  }

  zoomBy(by, at = [this.width / 2, this.height / 2]) {
    const held = this.world(at);
    this.zoom = between(this.zoom + by, this.data.least, this.data.most);
    this.hold(held, at);
  }

  /** Bring a place of the world under a pixel. */
  hold([x, y], [across, down]) {
    this.x = between(x - (across - this.width / 2) / this.scale, 0, 1);
    this.y = between(y - (down - this.height / 2) / this.scale, 0, 1);
    this.moved = true;
    this.tip.hidden = true;
    this.plan();
    clearTimeout(this.telling);
    this.telling = setTimeout(() => this.tell(), LATER);
  }

  placeOf({ zoom, latitude, longitude }) {
    return [zoom?.toFixed(2), latitude?.toFixed(4), longitude?.toFixed(4)].join("_");
  }

  /** Keep the place in the page's address, so that a link shows the same one. */
  tell() {
    const address = new URL(location.href);
    if (!address.pathname.endsWith(`/${this.data.page}`)) return;
    const [longitude, latitude] = degreesOf(this.x, this.y);
    this.told = this.placeOf({ zoom: this.zoom, latitude, longitude });
    address.searchParams.set("at", this.told);
    history.replaceState(history.state, "", address);
  }

  resize() {
    const { clientWidth: width, clientHeight: height } = this.node;
    const dense = devicePixelRatio || 1;
    if (!width || !height || !this.data) return;
    if (width === this.width && height === this.height && dense === this.dense) return;
    Object.assign(this, { width, height, dense });
    Object.assign(this.canvas, { width: Math.round(width * dense), height: Math.round(height * dense) });
    this.sprites.clear();
    if (this.area && !this.moved) this.fit();
    this.paint();
  }

  // TILES

  /** Return the tiles of the screen, one zoom less than fits: circles that do not touch. */
  wanted() {
    const z = between(Math.round(this.zoom) - 1, 0, this.data.deepest);
    const last = 2 ** z - 1;
    const [left, top] = this.world([-MARGIN, -MARGIN]).map((part) => between(Math.floor(part * 2 ** z), 0, last));
    const [right, bottom] = this.world([this.width + MARGIN, this.height + MARGIN])
      .map((part) => between(Math.floor(part * 2 ** z), 0, last));
    const tiles = [];
    for (let y = top; y <= bottom; y++) for (let x = left; x <= right; x++) tiles.push([z, x, y]);
    return tiles;
  }

  async read(source, address) {
    const key = address.join("/");
    const tile = source.tiles.get(key) ?? { points: null };
    const { version } = this.data;
    if (tile.version === version) return;
    source.tiles.set(key, tile);
    tile.version = version;
    try {
      const answer = await fetch(`${source.address}/${key}`);
      if (!answer.ok) throw new Error(answer.status);
      const points = answer.status === 204 ? [] : pointsOfTile(await answer.arrayBuffer(), ...address);
      // One that was asked for later may have come sooner.
      if (tile.version === version) tile.points = points;
      this.plan();
    } catch {
      setTimeout(() => {
        tile.version = null;
        this.plan();
      }, AGAIN);
    }
  }

  /** Return the points of a tile; until it is there those from above or below in its place. */
  pointsOf({ tiles }, [z, x, y], below = 2) {
    const points = tiles.get(`${z}/${x}/${y}`)?.points;
    if (points) return points;
    for (let up = 1; up <= z; up++) {
      const above = tiles.get(`${z - up}/${x >> up}/${y >> up}`)?.points;
      const inside = (point) => Math.floor(point.x * 2 ** z) === x && Math.floor(point.y * 2 ** z) === y;
      if (above) return above.filter(inside);
    }
    if (!below) return [];
    return [0, 1, 2, 3].flatMap((part) => this.pointsOf({ tiles }, [z + 1, 2 * x + part % 2, 2 * y + (part >> 1)], below - 1));
  }

  forget(wanted) {
    if (this.source.tiles.size <= MOST_TILES) return;
    const kept = new Set(wanted.map((address) => address.join("/")));
    for (const key of this.source.tiles.keys()) if (!kept.has(key)) this.source.tiles.delete(key);
  }

  // DRAWING

  /** Draw with the screen's next picture, however many tiles and movements there were. */
  plan() {
    if (this.gone || !this.width || this.planned) return;
    this.planned = requestAnimationFrame(() => this.paint());
  }

  paint() {
    cancelAnimationFrame(this.planned);
    this.planned = 0;
    if (!this.zoom) return;
    const wanted = this.wanted();
    for (const address of wanted) this.read(this.source, address);
    this.forget(wanted);
    if (this.before && wanted.every((address) => this.source.tiles.get(address.join("/"))?.points)) this.before = null;
    const shown = this.before ?? this.source;
    const { context, dense } = this;
    context.setTransform(dense, 0, 0, dense, 0, 0);
    context.clearRect(0, 0, this.width, this.height);
    this.drawBorders();
    this.drawn = wanted.flatMap((address) => this.pointsOf(shown, address)).map((point) => this.placed(point))
      .filter(({ x, y }) => x > -MARGIN && y > -MARGIN && x < this.width + MARGIN && y < this.height + MARGIN);
    for (const each of this.drawn) this.drawPoint(each);
    this.taken = new Map();
    this.drawCounts();
    this.drawDivisions();
    this.drawNames();
    this.tellWhere(wanted.every((address) => shown.tiles.get(address.join("/"))?.points));
    if (this.data.chosen) this.drawRing(this.data.chosen);
  }

  drawBorders() {
    const { context, data: { lines } } = this;
    this.bordersHere().forEach((pieces, level) => {
      context.beginPath();
      for (let at = 0; at < pieces.length; at += 4) {
        context.moveTo(...this.pixel(pieces[at], pieces[at + 1]));
        context.lineTo(...this.pixel(pieces[at + 2], pieces[at + 3]));
      }
      [context.strokeStyle, context.lineWidth] = lines[level];
      context.stroke();
    });
  }

  placed(point) {
    const { points } = point.properties;
    const [x, y] = this.pixel(point.x, point.y);
    const circle = points && this.data.circles.findLast(([least]) => points >= least);
    return { point, x, y, radius: circle ? circle[1] : POINT };
  }

  colourOf({ code, properties }) {
    const { scope, shades } = this.data;
    if (code && scope && !scope.some((prefix) => code.startsWith(prefix))) return shades.rest;
    return this.data.colours[properties[this.data.colour_by]] ?? this.data.nothing;
  }

  drawPoint({ point, x, y, radius }) {
    const { context, data, dense } = this;
    const { points, [`of_${data.colour_by}`]: most = 0 } = point.properties;
    if (!points) {
      const sprite = this.spriteOf(this.colourOf(point));
      // On whole pixels of the screen: what is copied there is neither blurred nor slow.
      const [left, top] = [x, y].map((middle) => Math.round(middle * dense - sprite.width / 2) / dense);
      context.drawImage(sprite, left, top, sprite.width / dense, sprite.height / dense);
      return;
    }
    this.disc(context, x, y, radius, data.shades.rest);
    if (!most) return; // nothing of it may be told
    // About the radius less the root of the share of it: the core is as large as its share.
    const core = radius * (1 - 0.6 * (1 - most / points));
    this.disc(context, x, y, core, this.colourOf(point));
  }

  disc(context, x, y, radius, colour) {
    context.beginPath();
    context.arc(x, y, radius, 0, 2 * Math.PI);
    context.fillStyle = colour;
    context.fill();
  }

  /** Return the picture of a point of a colour: thousands of them are copied, not drawn. */
  spriteOf(colour) {
    if (!this.sprites.has(colour)) {
      const half = POINT + 1;
      const sprite = new OffscreenCanvas(Math.ceil(2 * half * this.dense), Math.ceil(2 * half * this.dense));
      const context = sprite.getContext("2d", { willReadFrequently: true });
      context.scale(this.dense, this.dense);
      this.disc(context, half, half, POINT + 0.5, "#ffffffc8");
      this.disc(context, half, half, POINT - 0.5, colour);
      this.sprites.set(colour, sprite);
    }
    return this.sprites.get(colour);
  }

  /** Every count is told. */
  drawCounts() {
    this.letters(11);
    for (const { point: { properties: { name, points } }, x, y, radius } of this.drawn) {
      if (points && name) this.drawName(name, x, y + radius + 8);
    }
  }

  /** The names of villages, each where it covers no other. */
  drawNames() {
    this.letters(11);
    for (const { point: { code, properties: { name, points } }, x, y } of this.drawn) {
      if (points || !name) continue;
      const down = y + (code === this.data.chosen?.code ? 20 : 13);
      if (this.isFree(x, down, this.widthOf(name) / 2 + 2)) this.drawName(name, x, down);
    }
  }

  /** Cities at every zoom, counties where they fit: beside the circles, whose counts stay readable. */
  drawDivisions() {
    const circles = this.drawn.filter(({ point }) => point.properties.points);
    for (const { name, level, room, at } of this.names ?? []) {
      const isCity = level === "city";
      this.letters(isCity ? 14 : 12, 600);
      const half = this.widthOf(name) / 2 + 3;
      const inside = (room / 360) * this.scale;
      if (!isCity && half > inside * OVERHANG) continue;
      const [x, y] = this.pixel(...at);
      if (x < 0 || y < 0 || x > this.width || y > this.height) continue;
      const farthest = isCity ? Math.max(inside, ASIDE) : inside;
      const ways = BESIDE.filter((way) => Math.hypot(...way) <= farthest)
        .map(([across, down]) => [between(x + across, half, this.width - half), y + down]);
      const clear = (over) => ways.find(([middle, line]) =>
        !circles.some((each) => this.covers(each, middle, line, half, over)) && this.isFree(middle, line, half));
      const place = clear(true) ?? (isCity ? clear(false) ?? ways[0] : null);
      if (place) this.drawDivision(name, isCity, ...place);
    }
  }

  /** Tell whether a circle's count, or with `whole` the circle too, lies under a line of letters. */
  covers({ x, y, radius }, middle, line, half, whole) {
    const upper = whole ? y - radius - 7 : y + radius - 6;
    return Math.abs(x - middle) < half + (whole ? radius : 14) && line > upper && line < y + radius + 22;
  }

  drawDivision(name, isCity, x, y) {
    const { context, data: { shades } } = this;
    context.lineJoin = "round";
    context.lineWidth = 3;
    context.strokeStyle = shades.ground;
    context.fillStyle = isCity ? shades.letters : shades.soft;
    context.strokeText(name, x, y);
    context.fillText(name, x, y);
  }

  /** Say whose villages these are, or that here are none. */
  tellWhere(isWhole) {
    const away = ({ x, y }) => Math.hypot(x - this.width / 2, y - this.height / 2);
    const seen = this.drawn.filter(({ x, y }) => x >= 0 && y >= 0 && x <= this.width && y <= this.height);
    const single = seen.filter(({ point }) => point.code);
    const code = single.length && single.reduce((a, b) => (away(b) < away(a) ? b : a)).point.code;
    const above = (this.names ?? []).filter(({ prefix }) => code && code.startsWith(prefix));
    const nothing = isWhole && !seen.length ? "这里没有村庄，请缩小或移动地图。" : "";
    this.where.textContent = nothing || above.map(({ name }) => name).join(" › ");
    this.where.hidden = !this.where.textContent;
    this.node.closest(".st-key-village-map-card")?.toggleAttribute("data-single", single.length === seen.length);
  }

  letters(size, weight = 400) {
    this.context.font = this.font = `${weight} ${size}px ${FONT}`;
    this.context.textAlign = "center";
    this.context.textBaseline = "middle";
  }

  drawName(name, x, y) {
    const { context, data: { shades } } = this;
    const half = this.widthOf(name) / 2 + 2;
    context.fillStyle = shades.ground;
    context.fillRect(x - half, y - 7, 2 * half, 14);
    context.fillStyle = shades.letters;
    context.fillText(name, x, y + 0.5);
  }

  widthOf(text) {
    const key = `${this.font} ${text}`;
    if (!this.widths.has(key)) this.widths.set(key, this.context.measureText(text).width);
    return this.widths.get(key);
  }

  /** Take a line's room, where nobody has it. */
  isFree(x, y, half) {
    const { taken } = this;
    const rows = [-1, 0, 1].map((row) => taken.get(Math.floor(y / 14) + row) ?? []);
    const free = rows.flat().every(([left, top, right]) => x + half < left || x - half > right || Math.abs(top - y) > 14);
    if (free) taken.set(Math.floor(y / 14), [...rows[1], [x - half, y, x + half]]);
    return free;
  }

  drawRing({ longitude, latitude }) {
    const { context } = this;
    context.beginPath();
    context.arc(...this.pixel(...worldOf(longitude, latitude)), 10, 0, 2 * Math.PI);
    context.strokeStyle = RING;
    context.lineWidth = 3;
    context.stroke();
  }

  // FINGERS, MICE AND KEYS

  listen() {
    const { canvas } = this;
    canvas.addEventListener("pointerdown", (event) => this.press(event));
    canvas.addEventListener("pointermove", (event) => this.move(event));
    canvas.addEventListener("pointerup", (event) => this.release(event));
    canvas.addEventListener("pointercancel", (event) => this.fingers.delete(event.pointerId));
    canvas.addEventListener("pointerleave", () => {
      this.tip.hidden = true;
    });
    canvas.addEventListener("dblclick", (event) => this.zoomBy(1, [event.offsetX, event.offsetY]));
    canvas.addEventListener("keydown", (event) => this.key(event));
    canvas.addEventListener("wheel", (event) => {
      event.preventDefault();
      const turned = event.deltaMode ? event.deltaY * 33 : event.deltaY;
      this.zoomBy(between(-turned / 200, -1, 1), [event.offsetX, event.offsetY]);
    }, { passive: false });
  }

  press(event) {
    if (event.button) return;
    this.canvas.setPointerCapture(event.pointerId);
    const at = [event.offsetX, event.offsetY];
    this.fingers.set(event.pointerId, { at, from: at, moved: this.fingers.size > 0 });
  }

  move(event) {
    const at = [event.offsetX, event.offsetY];
    const finger = this.fingers.get(event.pointerId);
    if (!finger) {
      if (event.pointerType === "mouse") this.hover(at);
      return;
    }
    if (this.fingers.size === 2) this.pinch(finger, at);
    else if (finger.moved || Math.hypot(at[0] - finger.from[0], at[1] - finger.from[1]) > SLIP) {
      finger.moved = true;
      this.hold(this.world(finger.at), at);
    } else return;
    finger.at = at;
  }

  pinch(finger, at) {
    const other = [...this.fingers.values()].find((each) => each !== finger);
    finger.moved = other.moved = true;
    const wide = (one) => Math.max(1, Math.hypot(one[0] - other.at[0], one[1] - other.at[1]));
    const middle = (one) => [(one[0] + other.at[0]) / 2, (one[1] + other.at[1]) / 2];
    const held = this.world(middle(finger.at));
    this.zoom = between(this.zoom + Math.log2(wide(at) / wide(finger.at)), this.data.least, this.data.most);
    this.hold(held, middle(at));
  }

  release(event) {
    const finger = this.fingers.get(event.pointerId);
    this.fingers.delete(event.pointerId);
    if (!finger || finger.moved) return;
    const code = this.hit(finger.at)?.point.code;
    if (code) this.pick(code);
  }

  key(event) {
    const steps = { ArrowLeft: [-80, 0], ArrowRight: [80, 0], ArrowUp: [0, -80], ArrowDown: [0, 80] };
    const zooms = { "+": 1, "=": 1, "-": -1 };
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (steps[event.key]) this.hold([this.x, this.y], [this.width / 2 - steps[event.key][0], this.height / 2 - steps[event.key][1]]);
    else if (zooms[event.key]) this.zoomBy(zooms[event.key]);
    else return;
    event.preventDefault();
  }

  /** Return what lies under a pixel, the uppermost of the nearest. */
  hit([x, y]) {
    let [found, nearest] = [null, Infinity];
    for (const each of this.drawn) {
      const away = Math.hypot(each.x - x, each.y - y);
      if (away <= Math.max(each.radius, NEAR) && away <= nearest) [found, nearest] = [each, away];
    }
    return found;
  }

  hover(at) {
    const found = this.hit(at);
    const name = found?.point.properties.name;
    this.canvas.style.cursor = found?.point.code ? "pointer" : "grab";
    this.tip.hidden = !name;
    if (!name) return;
    this.tip.textContent = name;
    this.tip.style.transform = `translate(${at[0] + 12}px, ${at[1] + 12}px)`;
  }

  remove() {
    this.gone = true;
    this.watching.disconnect();
    clearTimeout(this.telling);
    this.node.remove();
  }
}

export default ({ data, parentElement, setTriggerValue }) => {
  const map = parentElement.villageMap ??= new VillageMap(parentElement);
  map.show(data, (code) => setTriggerValue("picked", code));
  return () => {
    map.remove();
    delete parentElement.villageMap;
  };
};
