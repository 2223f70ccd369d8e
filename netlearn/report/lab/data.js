// The examples of the file: unpacked from base64 and deflate, and kept without their zeros.

async function unpack() {
  const stream = new Blob([bytesOf(DATA.packed)]).stream().pipeThrough(new DecompressionStream("deflate"));
  const buffer = await new Response(stream).arrayBuffer();
  // netlearn's own examples are float32: a pixel is the nearest one to byte/255
  const values = DATA.kind === "float32" ? new Float32Array(buffer) : Float32Array.from(new Uint8Array(buffer), (byte) => byte / 255);
  const part = (first, count) => sparse(values.subarray(first * DATA.inputs, (first + count) * DATA.inputs),
    Uint32Array.from(DATA.labels.slice(first, first + count)), DATA.inputs);
  return { train: part(0, DATA.train), heldOut: part(DATA.train, DATA.heldOut) };
}

// A single example with all its values, as the examples of `sparse`; its label is −1 if nobody knows it.
const single = (image, label) => sparse(image, Uint32Array.of(label === null ? 2 ** 32 - 1 : label), DATA.inputs);

function imageAt(examples, row) {
  const image = new Float32Array(DATA.inputs);
  for (let p = examples.starts[row]; p < examples.starts[row + 1]; p += 1) image[examples.places[p]] = examples.values[p];
  return image;
}
