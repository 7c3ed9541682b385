using Microsoft.ML;
using Microsoft.ML.Data;
using Smae.Export;
using Smae.MLNet;
using Smae.Training;

// A user's first program: images, pretraining, embeddings, export, scoring of the file.
string folder = Directory.CreateDirectory(Path.Combine(AppContext.BaseDirectory, "images")).FullName;
var random = new Random(1);
for (int i = 0; i < 6; i++)
{
    var rgba = new byte[20 * 20 * 4];
    random.NextBytes(rgba);
    using var image = MLImage.CreateFromPixels(20, 20, MLPixelFormat.Rgba32, rgba);
    image.Save(Path.Combine(folder, $"{i}.png"));
}

var ml = new MLContext(seed: 1);
IDataView images = ml.Data.LoadImageFolder(folder);
MaeTransformer embedder = ml.Transforms.MaePretrain("Embedding", "ImagePath", new MaePretrainOptions
{
    Encoder = VisionTransformerConfig.VitTiny16.ForImages(16, patchSize: 4) with { EmbedDim = 16, Depth = 1, NumHeads = 2 },
    Decoder = DecoderConfig.Mae with { EmbedDim = 16, Depth = 1, NumHeads = 2 },
    Epochs = 1,
}).Fit(images);
float[][] embeddings = [.. embedder.Transform(images).GetColumn<float[]>("Embedding")];
Console.WriteLine($"{embeddings.Length} embeddings of {embeddings[0].Length} numbers");
string onnx = Path.Combine(AppContext.BaseDirectory, "encoder.onnx");
Console.WriteLine($"{onnx}: {embedder.Encoder.ExportOnnx(onnx).Proof}");
float[][] scores = [.. ml.Transforms.OnnxEmbedding("Embedding", "ImagePath", onnx).Fit(images).Transform(images).GetColumn<float[]>("Embedding")];
double difference = embeddings.Zip(scores, (a, b) => a.Zip(b, (x, y) => Math.Abs(x - y)).Max()).Max();
Console.WriteLine(difference < 1e-4 ? $"{scores.Length} scores of the file agree" : $"scores of the file differ by {difference}");
