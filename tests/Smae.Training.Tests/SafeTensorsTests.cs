using System.Buffers.Binary;
using System.Runtime.Versioning;
using System.Text;
using TorchSharp;
using static TorchSharp.torch;

namespace Smae.Training.Tests;

[TestClass]
public class SafeTensorsTests
{
    private string _folder = "";

    [TestInitialize]
    public void MakeFolder() => _folder = Directory.CreateTempSubdirectory("smae-test-").FullName;

    [TestCleanup]
    public void RemoveFolder() => Directory.Delete(_folder, recursive: true);

    private string File(string name = "weights.safetensors") => Path.Combine(_folder, name);

    [TestMethod]
    public void EveryTypeComesBackBitForBit()
    {
        using DisposeScope scope = NewDisposeScope();
        ScalarType[] types =
        [
            ScalarType.Float64, ScalarType.Float32, ScalarType.Float16, ScalarType.BFloat16, ScalarType.Int64, ScalarType.Int32, ScalarType.Int16,
            ScalarType.Int8, ScalarType.Byte, ScalarType.Bool,
        ];
        var tensors = types.Select(t => (t.ToString(), (randn(3, 5) * 10).to_type(t))).ToList();
        tensors.Add(("transposed", randn(4, 6).t()));   // not contiguous
        tensors.Add(("scalar", tensor(3.5f)));
        tensors.Add(("empty", zeros(0, 3)));
        SafeTensors.Save(File(), tensors, new Dictionary<string, string> { ["what"] = "a \"test\" \u00e9" });

        SafeTensorsFile file = SafeTensors.Open(File());
        Assert.AreEqual("a \"test\" \u00e9", file.Metadata["what"]);
        CollectionAssert.AreEqual(tensors.Select(t => t.Item1).ToList(), file.Names.ToList());
        foreach ((string name, Tensor expected) in tensors)
        {
            Tensor read = file.Read(name);
            Assert.AreEqual(expected.dtype, read.dtype, name);
            CollectionAssert.AreEqual(expected.shape, read.shape, name);
            CollectionAssert.AreEqual(expected.contiguous().bytes.ToArray(), read.bytes.ToArray(), name);
        }
    }

    [TestMethod]
    public void TheNumbersStartAtAMultipleOfEight()
    {
        using Tensor numbers = ones(2);
        SafeTensors.Save(File(), [("n", numbers)]);
        byte[] bytes = System.IO.File.ReadAllBytes(File());
        long header = BinaryPrimitives.ReadInt64LittleEndian(bytes);
        Assert.AreEqual(0, header % 8);
        Assert.AreEqual(8 + header + 8, bytes.Length);
    }

    [TestMethod]
    public void ATruncatedFileIsNamedTogetherWithTheTensorThatIsCut()
    {
        using Tensor numbers = ones(100);
        SafeTensors.Save(File(), [("first", numbers), ("second", numbers)]);
        byte[] bytes = System.IO.File.ReadAllBytes(File());
        System.IO.File.WriteAllBytes(File(), bytes[..^10]);
        string message = Assert.ThrowsExactly<InvalidDataException>(() => SafeTensors.Open(File())).Message;
        StringAssert.Contains(message, File());
        StringAssert.Contains(message, "'second'");
    }

    [TestMethod]
    [DataRow("", "expected at least 8")]
    [DataRow("short", "expected at least 8")]
    [DataRow("PK is how a zip begins, and this is none, but long", "announce a header")]
    [DataRow("this is a text file and no safetensors file at all", "announce a header")]
    public void AFileThatIsSomethingElseIsRefused(string content, string expected)
    {
        System.IO.File.WriteAllText(File(), content);
        StringAssert.Contains(Assert.ThrowsExactly<InvalidDataException>(() => SafeTensors.Open(File())).Message, expected);
    }

    [TestMethod]
    [DataRow("""{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}}""", "has 4 bytes, expected 8")]
    [DataRow("""{"a":{"dtype":"F31","shape":[1],"data_offsets":[0,4]}}""", "unknown type 'F31'")]
    [DataRow("""{"a":{"dtype":"F32","shape":[1],"data_offsets":[8,4]}}""", "lies at bytes 8 to 4")]
    [DataRow("""{"a":{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}}""", "negative size")]
    [DataRow("""{"a":{"shape":[1]}}""", "cannot be read")]
    [DataRow("""[1,2]""", "cannot be read")]
    public void AHeaderThatLiesIsRefused(string header, string expected)
    {
        byte[] json = Encoding.UTF8.GetBytes(header), bytes = new byte[8 + json.Length + 4];
        BinaryPrimitives.WriteInt64LittleEndian(bytes, json.Length);
        json.CopyTo(bytes, 8);
        System.IO.File.WriteAllBytes(File(), bytes);
        StringAssert.Contains(Assert.ThrowsExactly<InvalidDataException>(() => SafeTensors.Open(File())).Message, expected);
    }

    [TestMethod]
    public void AShapeThatIsTooLargeIsRefused()
    {
        foreach (string shape in (string[])
            ["[4611686018427387904,4]", "[9223372036854775807,9223372036854775807]", "[0,9223372036854775807,3]", "[99999999999999999999]"])
            AHeaderThatLiesIsRefused("""{"a":{"dtype":"F32","shape":[],"data_offsets":[0,0]}}""".Replace("[]", shape), "cannot be read");
    }

    [TestMethod]
    public void ATypeThatNobodyAsksForIsNoFault()
    {
        using DisposeScope scope = NewDisposeScope();
        using var model = new VisionTransformer(TinyModels.Encoder);
        SafeTensors.Save(File(), [.. ModelWeights.Of(model), ("head.weight", ones(2, 2, ScalarType.Byte))]);
        byte[] bytes = System.IO.File.ReadAllBytes(File());
        int at = bytes.AsSpan().IndexOf("\"head.weight\":{\"dtype\":\"U8\""u8), header = (int)BinaryPrimitives.ReadInt64LittleEndian(bytes);
        string text = Encoding.UTF8.GetString(bytes, 8, header).Replace("\"U8\"", "\"F8_E4M3\"");
        byte[] longer = [.. BitConverter.GetBytes((long)text.Length), .. Encoding.UTF8.GetBytes(text), .. bytes[(8 + header)..]];
        Assert.IsGreaterThan(0, at);
        System.IO.File.WriteAllBytes(File(), longer);

        ModelWeights.Load(model, File());
        SafeTensorsFile file = SafeTensors.Open(File());
        CollectionAssert.AreEqual(new long[] { 2, 2 }, file.Shape("head.weight").ToArray());
        StringAssert.Contains(Assert.ThrowsExactly<InvalidDataException>(() => file.Read("head.weight")).Message, "'head.weight'");
        StringAssert.Contains(Assert.ThrowsExactly<InvalidDataException>(() => file.Read("head.weight")).Message, "F8_E4M3");
    }

    [TestMethod]
    [DataRow("model.pth", new byte[] { (byte)'P', (byte)'K', 3, 4, 0, 0, 0, 0, 0, 8, 8, 0 }, "zip")]
    [DataRow("pytorch_model.bin", new byte[] { 0x80, 2, 0x8a, 10, 0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20 }, "pickle")]
    [DataRow("short.pt", new byte[] { 0x80, 2 }, "pickle")]
    public void AFileOfPyTorchIsToldHowToConvertIt(string name, byte[] content, string kind)
    {
        System.IO.File.WriteAllBytes(File(name), content);
        using var model = new VisionTransformer(TinyModels.Encoder);
        foreach (Action load in (Action[])
            [() => SafeTensors.Open(File(name)), () => ImageEncoder.Load(File(name)), () => ImageClassifier.Load(File(name)),
                () => ModelWeights.Load(model, File(name))])
        {
            string[] lines = Assert.ThrowsExactly<InvalidDataException>(load).Message.Split('\n');
            Assert.HasCount(3, lines);
            StringAssert.Contains(lines[0], kind);
            StringAssert.StartsWith(lines[1], "import torch, safetensors.torch");
            StringAssert.Contains(lines[2], Path.ChangeExtension(File(name), ".safetensors"));
        }
    }

    [TestMethod]
    [DataRow("version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12\n", "git lfs pull")]
    [DataRow("\n<!DOCTYPE html><html><body>404</body></html>", "a page of the web")]
    [DataRow("{\"architectures\": []}", "JSON")]
    [DataRow("\u001f\u008b\u0008\0\0\0\0\0\0\0", "gzip")]
    [DataRow("\u0089HDF\r\n\u001a\n", "HDF5")]
    [DataRow("GGUF\u0003\0\0\0\0\0", "GGUF")]
    [DataRow("\u0008\u000a\u0012\u0004Smae", "ONNX")]
    public void WhatADownloadLeftInThePlaceOfWeightsIsToldWhatItIs(string content, string expected)
    {
        System.IO.File.WriteAllBytes(File("model.safetensors"), System.Text.Encoding.Latin1.GetBytes(content));
        using var model = new VisionTransformer(TinyModels.Encoder);
        foreach (Action load in (Action[])
            [() => SafeTensors.Open(File("model.safetensors")), () => ImageEncoder.Load(File("model.safetensors")),
                () => ModelWeights.Load(model, File("model.safetensors"))])
        {
            string message = Assert.ThrowsExactly<InvalidDataException>(load).Message;
            StringAssert.Contains(message, expected);
            StringAssert.StartsWith(message, $"{File("model.safetensors")} is no safetensors file but ");
        }
        Assert.ThrowsExactly<ArgumentNullException>(() => ImageEncoder.Load(null!));
    }

    [TestMethod]
    public void AHeaderOfAnyLengthIsTakenForNoOtherFormat()
    {
        using DisposeScope scope = NewDisposeScope();
        HashSet<byte> first = [];
        for (int more = 0; more < 512; more += 8)
        {
            SafeTensors.Save(File("any.safetensors"), [("a", zeros(1))], new Dictionary<string, string> { ["text"] = new('x', more) });
            first.Add(System.IO.File.ReadAllBytes(File("any.safetensors"))[0]);
            Assert.IsNull(SafeTensors.OtherFormat(File("any.safetensors")), $"{more}");
        }
        Assert.Contains((byte)0x80, first, "the first byte of a pickle");
    }

    [TestMethod]
    public void NamesOfAnotherModelFitOnAScreen()
    {
        using DisposeScope scope = NewDisposeScope();
        using var model = new VisionTransformer(TinyModels.Encoder with { Depth = 12 });
        SafeTensors.Save(File(), ModelWeights.Of(model).Select(w => ("trunk/" + w.Name.Replace("blocks", "some_layers_of_another_model"), w.Tensor)));
        string message = Assert.ThrowsExactly<InvalidDataException>(() => ModelWeights.Load(model, File())).Message;
        Assert.IsLessThanOrEqualTo(10, message.Split('\n').Length);
        Assert.IsLessThanOrEqualTo(1500, message.Length);
        StringAssert.Contains(message, "'cls_token' is missing");
        StringAssert.Contains(message, "and 140 more like these");
        StringAssert.Contains(message, "'trunk/cls_token' is not part of this model");
    }

    [TestMethod]
    public void AFailedSaveLeavesTheOldFileAndNothingElse()
    {
        using Tensor numbers = ones(3);
        SafeTensors.Save(File(), [("n", numbers)]);
        byte[] before = System.IO.File.ReadAllBytes(File());
        Tensor gone = ones(3);
        IEnumerable<(string, Tensor)> Vanishing()
        {
            yield return ("a", numbers);
            yield return ("b", gone);
        }
        var list = Vanishing().ToList();
        Assert.ThrowsExactly<InvalidOperationException>(() => AtomicFile.Write(File(), stream => { stream.WriteByte(1); throw new InvalidOperationException(); }));
        gone.Dispose();
        CollectionAssert.AreEqual(before, System.IO.File.ReadAllBytes(File()));
        Assert.HasCount(1, Directory.GetFiles(_folder));
    }

    /// <summary>A name that is a link stays one, to a file that is there or not yet; who may read the file stays the same.</summary>
    [TestMethod]
    [UnsupportedOSPlatform("windows")]
    public void TheFileThatALinkLeadsToIsReplacedAndKeepsItsPermissions()
    {
        using Tensor numbers = ones(3);
        string real = Path.Combine(Directory.CreateDirectory(Path.Combine(_folder, "elsewhere")).FullName, "real.safetensors"), over = Path.Combine(_folder, "over");
        System.IO.File.CreateSymbolicLink(File(), over);
        System.IO.File.CreateSymbolicLink(over, "elsewhere/real.safetensors");
        foreach (UnixFileMode mode in (UnixFileMode[])[UnixFileMode.UserRead | UnixFileMode.UserWrite, UnixFileMode.UserRead | UnixFileMode.GroupRead])
        {
            SafeTensors.Save(File(), [("n", numbers)]);
            Assert.AreEqual(over, new FileInfo(File()).LinkTarget);
            Assert.IsNull(new FileInfo(real).LinkTarget);
            System.IO.File.SetUnixFileMode(real, mode);
            SafeTensors.Save(File(), [("n", numbers), ("m", numbers)]);
            CollectionAssert.AreEqual(new[] { "n", "m" }, SafeTensors.Open(real).Names.ToArray());
            Assert.AreEqual(mode, System.IO.File.GetUnixFileMode(real));
        }
        Assert.HasCount(1, Directory.GetFiles(Path.GetDirectoryName(real)!));
    }

    [TestMethod]
    public void NoFileTakesThePlaceOfADevice()
    {
        string path = $"/dev/smae-{Guid.NewGuid():N}";   // not /dev/null: for root that would be gone if this failed
        try
        {
            using Tensor numbers = ones(3);
            StringAssert.Contains(Assert.ThrowsExactly<IOException>(() => SafeTensors.Save(path, [("n", numbers)])).Message, path);
        }
        finally
        {
            System.IO.File.Delete(path);
        }
    }

    [TestMethod]
    public void AFolderInTheFilesPlaceIsToldAsOne() =>
        StringAssert.Contains(Assert.ThrowsExactly<InvalidDataException>(() => SafeTensors.Open(_folder)).Message, $"{_folder} is a folder");

    [TestMethod]
    public void WeightsThatDoNotFitAreAllNamedWithBothShapes()
    {
        using DisposeScope scope = NewDisposeScope();
        using var model = new VisionTransformer(TinyModels.Encoder);
        var weights = ModelWeights.Of(model).Where(w => w.Name != "norm.bias").ToList();
        int index = weights.FindIndex(w => w.Name == "blocks.0.attn.qkv.weight");
        weights[index] = (weights[index].Name, zeros(96, 31));
        weights.Add(("blocks.7.extra", zeros(1)));
        SafeTensors.Save(File(), weights);
        string message = Assert.ThrowsExactly<InvalidDataException>(() => ModelWeights.Load(model, File())).Message;
        StringAssert.Contains(message, "'norm.bias' is missing");
        StringAssert.Contains(message, "'blocks.0.attn.qkv.weight' has the shape [96, 31], expected [96, 32]");
        StringAssert.Contains(message, "'blocks.7.extra' is not part of this model");
    }

    [TestMethod]
    public void AnEncoderLoadsFromAFileThatHoldsAWholeAutoencoder()
    {
        using DisposeScope scope = NewDisposeScope();
        using var autoencoder = new MaskedAutoencoder(TinyModels.Encoder, seed: 1);
        using var encoder = new VisionTransformer(TinyModels.Encoder, seed: 2);
        SafeTensors.Save(File(), ModelWeights.Of(autoencoder));
        ModelWeights.Load(encoder, File());
        Tensor images = randn(1, 3, 16, 16);
        Assert.IsTrue(encoder.forward(images).Equals(autoencoder.Encoder.forward(images)));
    }

    [TestMethod]
    public void NamesAreThoseOfFacebookAndTimm()
    {
        using var model = new MaskedAutoencoder(TinyModels.Encoder with { Depth = 1 });
        string[] expected =
        [
            "cls_token", "pos_embed", "patch_embed.proj.weight", "patch_embed.proj.bias",
            .. Block("blocks.0."), "norm.weight", "norm.bias",
            "decoder_embed.weight", "decoder_embed.bias", "mask_token", "decoder_pos_embed", .. Block("decoder_blocks.0."), "decoder_norm.weight", "decoder_norm.bias",
            "decoder_pred.weight", "decoder_pred.bias",
        ];
        CollectionAssert.AreEquivalent(expected, ModelWeights.Of(model).Select(w => w.Name).ToArray());

        static IEnumerable<string> Block(string prefix) =>
            from part in (string[])["norm1", "attn.qkv", "attn.proj", "norm2", "mlp.fc1", "mlp.fc2"]
            from kind in (string[])["weight", "bias"] select $"{prefix}{part}.{kind}";
    }
}
