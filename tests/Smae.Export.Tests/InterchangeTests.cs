using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Smae.Training;

namespace Smae.Export.Tests;

/// <summary>
/// Others than Smae read the files: ONNX Runtime from JavaScript, and the checker of the ONNX project. Skipped where these are not installed.
/// </summary>
[TestClass]
public sealed class InterchangeTests : IDisposable
{
    private readonly TempFolder _folder = new();

    private static string Scripts([CallerFilePath] string source = "") => Path.Combine(Path.GetDirectoryName(source)!, "Interchange");

    public void Dispose() => _folder.Dispose();

    [TestMethod]
    [DataRow(OnnxFlavor.Fastest, OnnxPrecision.Float32, 1e-5)]
    [DataRow(OnnxFlavor.Portable, OnnxPrecision.Float32, 1e-5)]
    [DataRow(OnnxFlavor.Fastest, OnnxPrecision.Float16, 1e-2)]
    [DataRow(OnnxFlavor.Portable, OnnxPrecision.Float16, 1e-2)]
    [DataRow(OnnxFlavor.Fastest, OnnxPrecision.Int8, 0.1)]
    [DataRow(OnnxFlavor.Portable, OnnxPrecision.Int8, 0.1)]
    public void JavaScriptGetsTheSameNumbers(OnnxFlavor flavor, OnnxPrecision precision, double tolerance)
    {
        string script = Path.Combine(Scripts(), "score.js");
        if (!Directory.Exists(Path.Combine(Scripts(), "node_modules", "onnxruntime-node")))
            Assert.Inconclusive("onnxruntime-node is not installed: 'npm install --ignore-scripts' in Interchange.");
        using ImageClassifier classifier = TinyModels.Classifier();
        using ImageStore images = TinyModels.Images(classifier.Model.Config, 7);
        byte[] bytes = TinyModels.Bytes(images);
        var expected = new float[7 * 3];
        classifier.Classify(bytes, 7, expected);
        string model = _folder.At("classifier.onnx"), pixels = _folder.At("pixels"), result = _folder.At("result");
        classifier.ExportOnnx(model, new OnnxExportOptions { Flavor = flavor, Precision = precision });
        File.WriteAllBytes(pixels, bytes);
        Run("node", [script, model, pixels, "7", "probabilities", result]);
        Onnx.AssertClose(expected, MemoryMarshal.Cast<byte, float>(File.ReadAllBytes(result)).ToArray(), tolerance);
    }

    [TestMethod]
    public void TheCheckerOfOnnxFindsNothing()
    {
        string[] pythons = ["python3", "/usr/bin/python3"];
        string? python = Array.Find(pythons, p => Succeeds(p, "-c", "import onnx"));
        if (python is null) Assert.Inconclusive("Python's onnx is not installed.");
        using ImageEncoder encoder = TinyModels.Encoder();
        using ImageClassifier classifier = TinyModels.Classifier(batchNorm: true);
        using MaskedAutoencoder autoencoder = TinyModels.Autoencoder();
        using SqueezeNet critic = TinyModels.SqueezeNet();
        List<string> files = [];
        string Next()
        {
            files.Add(_folder.At($"{files.Count}.onnx"));
            return files[^1];
        }

        ImagePreprocessing p = encoder.Preprocessing;
        var pretraining = new MaePretrainOptions { Encoder = autoencoder.Config, Mean = p.Mean, StandardDeviation = p.StandardDeviation };
        foreach (OnnxFlavor flavor in Enum.GetValues<OnnxFlavor>())
        foreach (OnnxPrecision precision in Enum.GetValues<OnnxPrecision>())
        {
            var options = new OnnxExportOptions { Flavor = flavor, Precision = precision };
            encoder.ExportOnnx(Next(), options);
            classifier.ExportOnnx(Next(), options);
            autoencoder.ExportOnnx(Next(), pretraining, options);
            if (precision != OnnxPrecision.Int8) critic.ExportOnnx(Next(), TinyModels.SqueezeNetPreprocessing(), options: options);
        }
        Run(python!, [Path.Combine(Scripts(), "check.py"), .. files]);
    }

    private static bool Succeeds(string program, params string[] arguments)
    {
        try
        {
            return Start(program, arguments).Code == 0;
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return false;
        }
    }

    private static void Run(string program, string[] arguments)
    {
        (int code, string errors) = Start(program, arguments);
        Assert.AreEqual(0, code, errors);
    }

    private static (int Code, string Errors) Start(string program, string[] arguments)
    {
        var start = new ProcessStartInfo(program, arguments) { RedirectStandardError = true };
        using Process process = Process.Start(start)!;
        string errors = process.StandardError.ReadToEnd();
        process.WaitForExit();
        return (process.ExitCode, errors);
    }
}
