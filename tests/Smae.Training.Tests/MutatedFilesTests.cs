using System.Text;
using TorchSharp;
using static TorchSharp.torch;

namespace Smae.Training.Tests;

/// <summary>A file that was damaged anyhow is read or refused as such: no other exception, and no memory taken for what it only claims.</summary>
[TestClass]
public sealed class MutatedFilesTests : IDisposable
{
    private const int Mutations = 1000;
    private readonly string _folder = Directory.CreateTempSubdirectory("smae-mutated-").FullName;

    private string Weights => Path.Combine(_folder, "model.safetensors");

    private string Description => Path.Combine(_folder, "model.json");

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [TestMethod]
    public void SafetensorsAreReadOrRefused()
    {
        using (DisposeScope scope = NewDisposeScope())
            SafeTensors.Save(Weights, [("a", randn(3, 4)), ("empty", zeros(0, 2)), ("b", arange(5)), ("flag", ones(2, ScalarType.Bool))],
                new Dictionary<string, string> { ["k"] = "v" });
        Mutated(Weights, () =>
        {
            using DisposeScope scope = NewDisposeScope();
            SafeTensorsFile file = SafeTensors.Open(Weights);
            foreach (string name in file.Names) file.Read(name);
        });
    }

    [TestMethod]
    public void AnEncodersWeightsAreLoadedOrRefused() => Encoder(Weights);

    [TestMethod]
    public void AnEncodersDescriptionIsLoadedOrRefused() => Encoder(Description);

    [TestMethod]
    public void AClassifiersDescriptionIsLoadedOrRefused()
    {
        var preprocessing = new ImagePreprocessing { Height = 16, Width = 16 };
        using (var classifier = new ImageClassifier(new VisionTransformerClassifier(TinyModels.Encoder, 3), preprocessing, ["cat", "dog", "fox"]))
            classifier.Save(Weights);
        Mutated(Description, () => ImageClassifier.Load(Weights).Dispose());
    }

    [TestMethod]
    public void AConfigurationOfHuggingFaceIsLoadedOrRefused()
    {
        using (var encoder = new VisionTransformer(HuggingFaceTests.Config))
        {
            using DisposeScope scope = NewDisposeScope();
            HuggingFaceTests.Save(_folder, encoder, "");
        }
        Mutated(Path.Combine(_folder, "config.json"), () => ImageEncoder.Load(_folder).Dispose());
    }

    private void Encoder(string mutated)
    {
        using (ImageEncoder encoder = ImageEncoder.Create(TinyModels.Encoder)) encoder.Save(Weights);
        Mutated(mutated, () => ImageEncoder.Load(Weights).Dispose());
    }

    private static void Mutated(string path, Action load)
    {
        byte[] whole = File.ReadAllBytes(path);
        load();
        int refused = 0;
        for (int seed = 0; seed < Mutations; seed++)
        {
            File.WriteAllBytes(path, Mutate(whole, new RandomSequence(seed)));
            try
            {
                load();
            }
            catch (InvalidDataException)
            {
                refused++;
            }
            catch (Exception e)
            {
                Assert.Fail($"Mutation {seed}: {e}");
            }
        }
        Assert.IsGreaterThan(Mutations / 10, refused);
    }

    /// <summary>One to three changes: a byte, a piece more or less, the end cut off, a number or a word of the text replaced by another.</summary>
    private static byte[] Mutate(byte[] whole, RandomSequence random)
    {
        string[] tokens =
        [
            "null", "-1", "0", "99999999999", "9223372036854775807", "1e400", "\"\"", "[]", "{}", "true", "2147483647",
            "[9223372036854775807,9223372036854775807]",
        ];
        List<byte> bytes = [.. whole];
        int text = Math.Min(bytes.Count, 1200);   // the header, where weights are
        for (int changes = 1 + random.Below(3); changes > 0 && bytes.Count > 1; changes--)
        {
            int at = random.Below(random.Chance(0.8) ? Math.Min(text, bytes.Count) : bytes.Count), length = Math.Min(1 + random.Below(8), bytes.Count - at);
            switch (random.Below(6))
            {
                case 0: bytes[at] = (byte)random.Below(256); break;
                case 1: bytes.RemoveRange(at, length); break;
                case 2: bytes.InsertRange(at, bytes.GetRange(at, length)); break;
                case 3: bytes.RemoveRange(at, random.Chance(0.1) ? bytes.Count - at : 0); break;
                default:   // a value of the text
                    int from = bytes.FindIndex(at, b => b is (byte)':' or (byte)','),
                        to = from < 0 ? -1 : bytes.FindIndex(from + 1, b => b is (byte)',' or (byte)'}' or (byte)']');
                    if (to < 0) continue;
                    bytes.RemoveRange(from + 1, to - from - 1);
                    bytes.InsertRange(from + 1, Encoding.ASCII.GetBytes(tokens[random.Below(tokens.Length)]));
                    break;
            }
        }
        if (bytes.Count > 8 && whole[0] != (byte)'{' && whole[7] == 0)   // the announced length of a header follows it, so that the header itself is read
        {
            int length = BitConverter.ToInt32(whole) + bytes.Count - whole.Length;
            if (random.Chance(0.8) && length > 0)
                for (int i = 0; i < 8; i++) bytes[i] = BitConverter.GetBytes((long)length)[i];
        }
        return [.. bytes];
    }
}
