// The examples of the file: unpacked from base64 and deflate, and kept without their zeros.

async function unpack() {
  const stream = new Blob([bytesOf(DATA.packed)]).stream().pipeThrough(new DecompressionStream("deflate"));
  const buffer = await new Response(stream).arrayBuffer();
  const values = DATA.kind === "float32" ? new Float32Array(buffer) : pixels(new Uint8Array(buffer));
  const part = (first, count) => sparse(values.subarray(first * DATA.inputs, (first + count) * DATA.inputs),
    Uint32Array.from(DATA.labels.slice(first, first + count)), DATA.inputs);
  return { train: part(0, DATA.train), heldOut: part(DATA.train, DATA.heldOut) };
}

// Pixels from 0 to 1 in float32, as netlearn's own examples are: the nearest ones to byte/255.
function pixels(bytes) {
  const values = new Float32Array(bytes.length);
  for (let i = 0; i < bytes.length; i += 1) if (bytes[i]) values[i] = bytes[i] / 255;
  return values;
}

// A single example with all its values, as the examples of `sparse`; its label is −1 if nobody knows it.
const single = (image, label) => sparse(image, Uint32Array.of(label === null ? 2 ** 32 - 1 : label), DATA.inputs);

function imageAt(examples, row) {
  const image = new Float32Array(DATA.inputs);
  for (let p = examples.starts[row]; p < examples.starts[row + 1]; p += 1) image[examples.places[p]] = examples.values[p];
  return image;
}
