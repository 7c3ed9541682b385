using System.Globalization;
using System.Reflection;
using Google.Protobuf;
using Smae.Training;
using TorchSharp;
using static TorchSharp.torch;

namespace Smae.Export;

/// <summary>
/// What all exports have in common: weights are copied out of the model, the graph is written, proven against a TorchSharp model of the same weights
/// in float32 on the CPU, and only then a file. The model itself is only read, once.
/// </summary>
internal abstract class ModelExport : IDisposable
{
    private const int IrVersion = 8;   // of the ONNX release that brought opset 17

    protected ModelExport(
        IReadOnlyCollection<(string Name, Tensor Tensor)> tensors, ImagePreprocessing preprocessing, OnnxExportOptions options)
    {
        (Preprocessing, Options) = (preprocessing, options);
        Guard.NoFaults(options.Faults(preprocessing).Concat(Faults()), nameof(options));
        Weights = new WeightTable(tensors);
        if (Weights.ByteCount / (options.Precision == OnnxPrecision.Float16 ? 2 : 1) > int.MaxValue - (1 << 20))
            throw new NotSupportedException($"The weights are {Weights.ByteCount >> 20} MiB: an ONNX file holds less than 2 GiB.");
    }

    /// <summary>What is done to images first.</summary>
    public ImagePreprocessing Preprocessing { get; }

    /// <summary>How the model is written.</summary>
    public OnnxExportOptions Options { get; }

    /// <summary>What the file is.</summary>
    public abstract OnnxModelKind Kind { get; }

    /// <summary>The name of the mask's input; null where there is none.</summary>
    public virtual string? MaskName => null;

    /// <summary>Patches that a mask tells of; 0 where there is no mask.</summary>
    public virtual int MaskedPatches => 0;

    /// <summary>The weights.</summary>
    protected WeightTable Weights { get; }

    /// <summary>What TorchSharp gives, output by output as <see cref="Write"/> has them.</summary>
    /// <param name="images">Normalised images, <c>[batch, channels, height, width]</c>.</param>
    /// <param name="hidden">Which patches are hidden, image by image, equally many in each; of use only where there is a mask.</param>
    public abstract Tensor[] Reference(Tensor images, bool[] hidden);

    /// <summary>Frees the model that the graph is compared with.</summary>
    public abstract void Dispose();

    /// <summary>What the network is and how its weights are named, for people who open the file.</summary>
    protected abstract string Description { get; }

    /// <summary>Writes the graph, its outputs excepted, and names these; the main one first.</summary>
    protected abstract GraphOutput[] Write(GraphBuilder graph, Products products);

    /// <summary>What only this kind of model has to tell.</summary>
    protected abstract IEnumerable<(string Key, string Value)> Details();

    /// <summary>Faults of the options that only this kind of model can see.</summary>
    protected virtual IEnumerable<string> Faults()
    {
        if (Options.Output != OnnxOutput.Pooled) yield return $"Output is {Options.Output}: only an encoder has a choice.";
    }

    /// <summary>Writes, proves and saves.</summary>
    public OnnxExportResult Run(string path)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(path);
        var graph = new GraphBuilder();
        graph.Graph.Name = $"smae-{Kind.ToString().ToLowerInvariant()}";
        var products = Products.Create(graph, Weights, Options.Precision, Options.Flavor);
        GraphOutput[] outputs = Write(graph, products);
        foreach (GraphOutput output in outputs) graph.Output(output.Name, output.Value, output.Shape, output.Doc);

        var model = new ModelProto
        {
            IrVersion = IrVersion, ProducerName = OnnxModelInfo.Producer, ProducerVersion = Version, ModelVersion = 1, Graph = graph.Graph,
            DocString = $"{Kind} exported by Smae {Version}. {Description}",
            OpsetImport = { new OperatorSetIdProto { Domain = "", Version = GraphBuilder.Opset } },
        };
        if (graph.UsesRuntimeDomain) model.OpsetImport.Add(new OperatorSetIdProto { Domain = GraphBuilder.RuntimeDomain, Version = 1 });

        OnnxProof proof = ExportProof.Run(this, model.ToByteArray(), outputs);
        foreach ((string key, string value) in Metadata(proof)) model.MetadataProps.Add(new StringStringEntryProto { Key = key, Value = value });
        AtomicFile.Write(path, stream => model.WriteTo(stream));
        return new OnnxExportResult(path, OnnxModelInfo.Read(path), proof, new FileInfo(path).Length);
    }

    private static string Version { get; } =
        typeof(ModelExport).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion.Split('+')[0] ?? "";

    private IEnumerable<(string Key, string Value)> Metadata(OnnxProof proof)
    {
        string Text(double number) => number.ToString("R", CultureInfo.InvariantCulture);
        yield return (MetadataKeys.Kind, $"{Kind}");
        foreach ((string Key, string Value) entry in MetadataKeys.Of(Preprocessing)) yield return entry;
        yield return (MetadataKeys.Input, $"{Options.Input}");
        yield return (MetadataKeys.Precision, $"{Options.Precision}");
        yield return (MetadataKeys.Flavor, $"{Options.Flavor}");
        foreach ((string Key, string Value) entry in Details()) yield return entry;
        yield return (MetadataKeys.WeightsHash, Weights.Hash);
        yield return (MetadataKeys.Version, Version);
        yield return (MetadataKeys.MaxDifference, Text(proof.MaxDifference));
        yield return (MetadataKeys.Tolerance, Text(proof.Tolerance));
    }
}
