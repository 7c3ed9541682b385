using System.Globalization;
using System.Reflection;
using Google.Protobuf;
using Smae.Training;
using TorchSharp;
using static TorchSharp.torch;

namespace Smae.Export;

/// <summary>
/// What all exports have in common: weights are copied out of the model, the graph is written, proven against a TorchSharp model of the same
/// weights, and only then a file. The model itself is only read, once.
/// </summary>
internal abstract class ModelExport
{
    /// <summary>Name of the second input of an autoencoder.</summary>
    public const string MaskName = "mask";

    private const int IrVersion = 8;   // of the ONNX release that brought opset 17
    private nn.Module? _reference;

    protected ModelExport(
        OnnxModelKind kind, ImagePreprocessing preprocessing, OnnxExportOptions options, IEnumerable<string> faults,
        IEnumerable<(string Name, Tensor Tensor)> weights)
    {
        (Kind, Preprocessing, Options) = (kind, preprocessing, options);
        if (kind != OnnxModelKind.Encoder && options.Output != OnnxOutput.Pooled)
            faults = faults.Append($"Output is {options.Output}: only an encoder has a choice.");
        Rules.Check(options.Faults(preprocessing).Concat(faults), nameof(options));
        Weights = new WeightTable([.. weights]);
        if (Weights.ByteCount / (options.Precision == OnnxPrecision.Float16 ? 2 : 1) > int.MaxValue - (1 << 20))
            throw new NotSupportedException($"The weights are {Weights.ByteCount >> 20} MiB: an ONNX file holds less than 2 GiB.");
    }

    public OnnxModelKind Kind { get; }
    public ImagePreprocessing Preprocessing { get; }
    public OnnxExportOptions Options { get; }

    /// <summary>Patches that a mask tells of; 0 where there is no mask.</summary>
    public virtual int MaskedPatches => 0;

    protected WeightTable Weights { get; }

    /// <summary>What the network is and how its weights are named, for people who open the file.</summary>
    protected virtual string Description =>
        "A vision transformer; weights bear timm's names, and those of linear layers are transposed: [inputs, outputs].";

    /// <summary>What TorchSharp gives, output by output as <see cref="Write"/> has them.</summary>
    /// <param name="images">Normalised images, <c>[batch, channels, height, width]</c>.</param>
    /// <param name="hidden">Which patches are hidden, image by image, equally many in each; empty where there is no mask.</param>
    public abstract Tensor[] Reference(Tensor images, bool[] hidden);

    /// <summary>Writes the graph, its outputs excepted, and names these; the main one first.</summary>
    protected abstract GraphOutput[] Write(GraphBuilder graph, Products products);

    protected abstract IEnumerable<(string Key, string Value)> Details();

    /// <summary>Writes, proves, saves and frees what was made for it: it can be called once.</summary>
    public OnnxExportResult Run(string path)
    {
        using nn.Module? reference = _reference;
        ArgumentException.ThrowIfNullOrWhiteSpace(path);
        var graph = new GraphBuilder();
        graph.Graph.Name = $"smae-{Kind.ToString().ToLowerInvariant()}";
        GraphOutput[] outputs = Write(graph, Products.Create(graph, Weights, Options.Precision, Options.Flavor));
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

    /// <summary>Makes a new model the one that the graph is compared with: it gets the weights that are exported, and goes after the run.</summary>
    protected T AsReference<T>(T model, IEnumerable<(string Name, Tensor Tensor)> tensors) where T : nn.Module
    {
        _reference = model;
        using DisposeScope scope = NewDisposeScope();
        using var noGrad = no_grad();
        foreach ((string name, Tensor target) in tensors) target.copy_(tensor(Weights.Stored(name), target.shape));
        model.eval();
        return model;
    }

    protected (EncoderGraph Encoder, string Tokens) WriteTokens(GraphBuilder graph, Products products, VisionTransformerConfig config)
    {
        var encoder = new EncoderGraph(graph, Weights, products, config, Options.Flavor);
        return (encoder, encoder.WriteTokens(new ImageInput(graph, Preprocessing, Options.Input).WritePatches(Options.InputName, config)));
    }

    private static string Version { get; } =
        typeof(ModelExport).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion.Split('+')[0] ?? "";

    private IEnumerable<(string Key, string Value)> Metadata(OnnxProof proof)
    {
        static string Text(double number) => number.ToString("R", CultureInfo.InvariantCulture);
        return
        [
            (MetadataKeys.Kind, $"{Kind}"), .. MetadataKeys.Of(Preprocessing), (MetadataKeys.Input, $"{Options.Input}"),
            (MetadataKeys.Precision, $"{Options.Precision}"), (MetadataKeys.Flavor, $"{Options.Flavor}"), .. Details(),
            (MetadataKeys.WeightsHash, Weights.Hash), (MetadataKeys.Version, Version), (MetadataKeys.MaxDifference, Text(proof.MaxDifference)),
            (MetadataKeys.Tolerance, Text(proof.Tolerance)),
        ];
    }
}

/// <summary>An output of a graph: its name, the value that it shows, its dimensions after the batch, and what it is.</summary>
internal sealed record GraphOutput(string Name, string Value, long[] Shape, string Doc);
