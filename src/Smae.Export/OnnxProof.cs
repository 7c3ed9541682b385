using Microsoft.ML.OnnxRuntime;
using Smae.Training;
using TorchSharp;
using static System.FormattableString;
using static TorchSharp.torch;

namespace Smae.Export;

/// <summary>How well ONNX Runtime, on the CPU, agrees with TorchSharp in float32 about an exported model.</summary>
/// <param name="Images">Images that were compared.</param>
/// <param name="MaxDifference">The largest absolute difference between two numbers, over all outputs.</param>
/// <param name="Magnitude">The largest absolute number that TorchSharp gave in the output where the difference is largest relative to it.</param>
/// <param name="RelativeDifference">The largest difference of an output as a share of its magnitude, which is limited.</param>
/// <param name="Tolerance">What was allowed.</param>
/// <param name="Top1Agreement">For a classifier the share of images for which both find the same class, 0 to 1; else null.</param>
public sealed record OnnxProof(
    long Images, double MaxDifference, double Magnitude, double RelativeDifference, double Tolerance, double? Top1Agreement)
{
    /// <summary>One line for people.</summary>
    public override string ToString() =>
        Invariant($"{Images} images, largest difference {MaxDifference:G3} ({RelativeDifference:G2} of the largest number)")
        + (Top1Agreement is { } top ? Invariant($", {top:P1} of classes agree") : "");
}

/// <summary>What ONNX Runtime makes of an exported model is not what TorchSharp makes of it. No file was written.</summary>
public sealed class OnnxExportException(string message) : Exception(message);

/// <summary>Runs a model in ONNX Runtime and compares it with TorchSharp: on one image, several at once, then the user's.</summary>
internal sealed class ExportProof : IDisposable
{
    private const int RandomBatch = 3, BatchSize = 16;
    private readonly ModelExport _export;
    private readonly GraphOutput[] _outputs;
    private readonly Agreement[] _agreements;
    private readonly InferenceSession _session;
    private readonly Random _random = new(1);
    private long _images, _sameClass;

    private ExportProof(ModelExport export, byte[] model, GraphOutput[] outputs)
    {
        (_export, _outputs) = (export, outputs);
        _agreements = [.. outputs.Select(_ => new Agreement())];
        _session = RuntimeSession.OpenOnCpu("the exported model", model, threads: 0);
    }

    public static OnnxProof Run(ModelExport export, byte[] model, GraphOutput[] outputs)
    {
        using var proof = new ExportProof(export, model, outputs);
        proof.Compare(() => proof.RandomImages(1));
        proof.Compare(() => proof.RandomImages(RandomBatch));
        if (export.Options.ProofImages is { } images)
            for (long from = 0; from < images.Count; from += BatchSize)
                proof.Compare(() => images.Batch([.. Enumerable.Range(0, (int)Math.Min(BatchSize, images.Count - from)).Select(i => from + i)]));
        return proof.Judge();
    }

    public void Dispose() => _session.Dispose();

    private void Compare(Func<Tensor> make)
    {
        using DisposeScope scope = NewDisposeScope();
        using var noGrad = no_grad();
        ImagePreprocessing p = _export.Preprocessing;
        Tensor bytes = make();
        int count = (int)bytes.size(0);
        Tensor mean = tensor(p.Mean.ToArray()), deviation = tensor(p.StandardDeviation.ToArray());
        Tensor images = ((bytes.to_type(ScalarType.Float32).DividedBy(255f) - mean) / deviation).permute(0, 3, 1, 2);
        bool[] hidden = RandomMask(count);
        Tensor[] expected = _export.Reference(images, hidden);
        float[][] found = Score(bytes, images, hidden, count);
        for (int i = 0; i < expected.Length; i++)
            _agreements[i].Add(expected[i].contiguous().data<float>().ToArray(), found[i], _outputs[i].Name);
        _images += count;
        if (_export.Kind != OnnxModelKind.Classifier) return;
        Tensor classes = tensor(found[0], expected[0].shape).argmax(1);
        _sameClass += classes.eq(expected[0].argmax(1)).to_type(ScalarType.Int64).sum().AsInt64();
    }

    private float[][] Score(Tensor bytes, Tensor normalized, bool[] hidden, int count)
    {
        static OrtValue Value<T>(Tensor tensor) where T : unmanaged =>
            OrtValue.CreateTensorValueFromMemory(tensor.contiguous().data<T>().ToArray(), tensor.shape);
        using OrtValue input = _export.Options.Input switch
        {
            OnnxInput.Bytes => Value<byte>(bytes),
            OnnxInput.PlanarBytes => Value<byte>(bytes.permute(0, 3, 1, 2)),
            _ => Value<float>(normalized),
        };
        using OrtValue? mask = hidden.Length > 0 ? Value<byte>(tensor(hidden).to_type(ScalarType.Byte).view(count, -1)) : null;
        using var run = new RunOptions();
        string[] names = [_export.Options.InputName, ModelExport.MaskName];
        int inputs = mask is null ? 1 : 2;
        using IDisposableReadOnlyCollection<OrtValue> results =
            _session.Run(run, names[..inputs], ((OrtValue[])[input, mask!])[..inputs], [.. _outputs.Select(o => o.Name)]);
        return [.. results.Select(r => r.GetTensorDataAsSpan<float>().ToArray())];
    }

    private OnnxProof Judge()
    {
        (double tolerance, OnnxPrecision precision) = (_export.Options.EffectiveTolerance, _export.Options.Precision);
        Agreement worst = _agreements.MaxBy(a => a.Relative)!;
        if (!(worst.Relative <= tolerance))
            throw new OnnxExportException(
                $"ONNX Runtime's '{_outputs[Array.IndexOf(_agreements, worst)].Name}' differs from TorchSharp's by "
                + Invariant($"{worst.Difference:G3}, where numbers go up to {worst.Magnitude:G3}: at most {tolerance:G3} of that was allowed ")
                + $"({precision}). Raise Tolerance if that is good enough"
                + $"{(precision == OnnxPrecision.Float32 ? "" : " or choose a finer Precision")}. No file was written.");
        double? sameClass = _export.Kind == OnnxModelKind.Classifier ? (double)_sameClass / _images : null;
        return new OnnxProof(_images, _agreements.Max(a => a.Difference), worst.Magnitude, worst.Relative, tolerance, sameClass);
    }

    /// <summary>Noise, brighter and duller, so that not every image looks the same to a model.</summary>
    private Tensor RandomImages(int count)
    {
        ImagePreprocessing p = _export.Preprocessing;
        int size = p.ByteCount;
        var pixels = new byte[count * size];
        for (int i = 0, low = 0, range = 0; i < pixels.Length; i++)
        {
            if (i % size == 0) (low, range) = (_random.Next(128), _random.Next(32, 128));
            pixels[i] = (byte)(low + _random.Next(range));
        }
        return tensor(pixels, [count, p.Height, p.Width, p.Channels]);
    }

    /// <summary>Hides the same number of patches, about three of four, in every image: TorchSharp's models want it so.</summary>
    private bool[] RandomMask(int count)
    {
        int patches = _export.MaskedPatches;
        var flags = new bool[count * patches];
        for (int at = 0; at < flags.Length; at += patches)
        {
            flags.AsSpan(at, patches * 3 / 4).Fill(true);
            _random.Shuffle(flags.AsSpan(at, patches));
        }
        return flags;
    }

    /// <summary>How far two sets of numbers lie apart.</summary>
    private sealed class Agreement
    {
        public double Difference, Magnitude;
        public double Relative => Difference == 0 ? 0 : Difference / Magnitude;

        public void Add(float[] expected, float[] found, string output)
        {
            if (expected.Length != found.Length)
                throw new OnnxExportException($"ONNX Runtime's '{output}' has {found.Length} numbers, TorchSharp's {expected.Length}. No file made.");
            for (int i = 0; i < expected.Length; i++)
            {
                if (!float.IsFinite(expected[i]))
                    throw new OnnxExportException(Invariant($"TorchSharp's '{output}' holds {expected[i]}: the model cannot be proven. No file was written."));
                double difference = Math.Abs((double)expected[i] - found[i]);
                Difference = Math.Max(Difference, double.IsNaN(difference) ? double.PositiveInfinity : difference);
                Magnitude = Math.Max(Magnitude, Math.Abs(expected[i]));
            }
        }
    }
}
