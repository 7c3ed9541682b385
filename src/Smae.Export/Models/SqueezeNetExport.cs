using Smae.Training;
using static TorchSharp.torch;

namespace Smae.Export;

/// <summary>Exports a SqueezeNet v1.1: images to probabilities and logits.</summary>
internal sealed class SqueezeNetExport : ModelExport
{
    private readonly SqueezeNet _reference;
    private readonly IReadOnlyList<string>? _names;

    public SqueezeNetExport(SqueezeNet network, ImagePreprocessing preprocessing, IReadOnlyList<string>? classNames, OnnxExportOptions options)
        : base(OnnxModelKind.Classifier, preprocessing, options, Faults(network, preprocessing, classNames, options), Parameters(network))
    {
        _names = classNames;
        var reference = new SqueezeNet(network.Classes!.Value, network.Channels);
        _reference = AsReference(reference, Parameters(reference));
    }

    protected override string Description => "A SqueezeNet v1.1; weights bear torchvision's names.";
    public override Tensor[] Reference(Tensor images, bool[] hidden) => ClassOutputs.Of(_reference.forward(images));

    protected override GraphOutput[] Write(GraphBuilder graph, Products products)
    {
        string x = products.ToCompute(new ImageInput(graph, Preprocessing, Options.Input).WritePlanes(Options.InputName));
        x = Convolution(graph, products, x, "features.0", stride: 2);
        for (int layer = 2; layer <= 12; layer++)
            x = layer is 2 or 5 or 8 ? MaxPool(graph, x, $"features.{layer}") : Fire(graph, products, x, $"features.{layer}");
        x = Convolution(graph, products, x, "classifier.1");
        using (graph.In("classifier")) x = graph.Node("ReduceMean", [products.ToFloat(x)], ("axes", new[] { 2L, 3L }), ("keepdims", 0L));
        return ClassOutputs.Write(graph, x, _reference.Classes!.Value, Options);
    }

    protected override IEnumerable<(string Key, string Value)> Details() => MetadataKeys.Of(_names);

    private string Fire(GraphBuilder graph, Products products, string x, string name)
    {
        string squeezed = Convolution(graph, products, x, $"{name}.squeeze");
        string narrow = Convolution(graph, products, squeezed, $"{name}.expand1x1");
        string wide = Convolution(graph, products, squeezed, $"{name}.expand3x3", padding: 1);
        using GraphBuilder.Scope scope = graph.In(name);
        return graph.Node("Concat", [narrow, wide], ("axis", 1L));
    }

    private static string MaxPool(GraphBuilder graph, string x, string name)
    {
        using GraphBuilder.Scope scope = graph.In(name);
        return graph.Node("MaxPool", [x], ("kernel_shape", new[] { 3L, 3L }), ("strides", new[] { 2L, 2L }), ("ceil_mode", 1L));
    }

    /// <summary>A convolution and the ReLU that follows each.</summary>
    private string Convolution(GraphBuilder graph, Products products, string x, string name, long stride = 1, long padding = 0)
    {
        using GraphBuilder.Scope scope = graph.In(name);
        string weight = $"{name}.weight";
        x = graph.Node(
            "Conv", [x, products.Stored(weight), products.Stored($"{name}.bias")], ("kernel_shape", Weights.Shape(weight)[2..]),
            ("strides", new[] { stride, stride }), ("pads", new[] { padding, padding, padding, padding }));
        return graph.Node("Relu", [x]);
    }

    private static IEnumerable<(string Name, Tensor Tensor)> Parameters(SqueezeNet network) =>
        network.named_parameters().Select(p => (p.name, (Tensor)p.parameter));

    private static IEnumerable<string> Faults(
        SqueezeNet network, ImagePreprocessing preprocessing, IReadOnlyList<string>? classNames, OnnxExportOptions options)
    {
        foreach (string fault in ClassOutputs.Faults(options)) yield return fault;
        if (options.Precision == OnnxPrecision.Int8)
            yield return "Precision is Int8, which quantises matrix products, and a SqueezeNet has convolutions only: choose Float32 or Float16.";
        if (network.Classes is not { } classes)
        {
            yield return "The network is cut before its classifier: only a whole one can be exported.";
            yield break;
        }
        foreach (string fault in preprocessing.Faults()) yield return $"Preprocessing: {fault}";
        if (preprocessing.Channels != network.Channels)
            yield return $"Preprocessing gives {preprocessing.Channels} channels: the network expects {network.Channels}.";
        if (Math.Min(preprocessing.Height, preprocessing.Width) < SqueezeNet.MinimumSide)
            yield return $"Preprocessing gives {preprocessing.Height}x{preprocessing.Width}: SqueezeNet needs at least {SqueezeNet.MinimumSide} pixels a side.";
        if (classNames is not null && classNames.Count != classes)
            yield return $"There are {classNames.Count} names of classes: the network has {classes} classes.";
    }
}
