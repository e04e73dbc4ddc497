// Reads the points of a vector tile (Mapbox Vector Tile 2.1) with the little of protobuf it takes.
// Places are parts of the world in EPSG:3857: 0 to 1 from the west, 0 to 1 from the north.

class Bytes {
  constructor(bytes, at = 0, end = bytes.length) {
    Object.assign(this, { bytes, at, end });
  }

  /** A code of 15 digits is longer than 32 bits: no shifts. */
  number() {
    let value = 0;
    for (let factor = 1; ; factor *= 128) {
      const byte = this.bytes[this.at++];
      value += (byte & 127) * factor;
      if (byte < 128) return value;
    }
  }

  signed() {
    const value = this.number();
    return value % 2 ? -(value + 1) / 2 : value / 2;
  }

  /** The bytes of a field that tells its length. */
  part() {
    const length = this.number();
    this.at += length;
    return new Bytes(this.bytes, this.at - length, this.at);
  }

  text() {
    return new TextDecoder().decode(this.bytes.subarray(this.at, this.end));
  }

  real(size) {
    const view = new DataView(this.bytes.buffer, this.bytes.byteOffset + this.at, size);
    this.at += size;
    return size === 4 ? view.getFloat32(0, true) : view.getFloat64(0, true);
  }

  skip(kind) {
    if (kind === 0) this.number();
    else if (kind === 2) this.part();
    else this.at += kind === 1 ? 8 : 4;
  }

  /** Tells each field: its number and how it is written. What is not read is skipped. */
  *fields() {
    while (this.at < this.end) {
      const key = this.number();
      const before = this.at;
      yield key >>> 3;
      if (this.at === before) this.skip(key & 7);
    }
  }

  *numbers() {
    while (this.at < this.end) yield this.number();
  }
}

const valueOf = (bytes) => {
  let value = null;
  for (const field of bytes.fields()) {
    if (field === 1) value = bytes.part().text();
    else if (field === 2 || field === 3) value = bytes.real(field === 2 ? 4 : 8);
    else if (field === 6) value = bytes.signed();
    else value = field === 7 ? Boolean(bytes.number()) : bytes.number();
  }
  return value;
};

const featureOf = (bytes, keys, values) => {
  const feature = { code: null, properties: {}, moves: null };
  for (const field of bytes.fields()) {
    if (field === 1) feature.code = String(bytes.number());
    else if (field === 2) {
      const tags = [...bytes.part().numbers()];
      for (let at = 0; at < tags.length; at += 2) feature.properties[keys[tags[at]]] = values[tags[at + 1]];
    } else if (field === 4) feature.moves = bytes.part();
  }
  return feature;
};

/** Return the points of a tile: code (null for a count), properties, x and y. */
const pointsOfTile = (buffer, z, x, y) => {
  const points = [];
  const tile = new Bytes(new Uint8Array(buffer));
  for (const field of tile.fields()) {
    if (field !== 3) continue;
    const layer = tile.part();
    const [features, keys, values] = [[], [], []];
    let extent = 4096;
    for (const each of layer.fields()) {
      if (each === 2) features.push(layer.part());
      else if (each === 3) keys.push(layer.part().text());
      else if (each === 4) values.push(valueOf(layer.part()));
      else if (each === 5) extent = layer.number();
    }
    const side = 2 ** z * extent;
    for (const bytes of features) {
      const { code, properties, moves } = featureOf(bytes, keys, values);
      if (!moves) continue;
      moves.number();
      points.push({ code, properties, x: (x * extent + moves.signed()) / side, y: (y * extent + moves.signed()) / side });
    }
  }
  return points;
};
