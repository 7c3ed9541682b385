// Runs an exported file on raw pixels: node score.js MODEL PIXELS COUNT OUTPUT RESULT
// PIXELS holds COUNT images as the file takes them (uint8), RESULT gets the numbers of OUTPUT (float32).
const fs = require("fs");
const ort = require("onnxruntime-node");

(async () => {
  const [model, pixels, count, output, result] = process.argv.slice(2);
  const session = await ort.InferenceSession.create(model);
  const images = session.inputMetadata.find((input) => input.name === "images");
  const shape = images.shape.map((size, place) => (place === 0 ? Number(count) : size));
  const bytes = new Uint8Array(fs.readFileSync(pixels));
  const found = await session.run({ images: new ort.Tensor("uint8", bytes, shape) }, [output]);
  fs.writeFileSync(result, Buffer.from(found[output].data.buffer, found[output].data.byteOffset, found[output].data.byteLength));
})().catch((error) => {
  console.error(error.message);
  process.exit(1);
});
