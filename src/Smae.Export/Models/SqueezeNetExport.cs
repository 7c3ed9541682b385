using Smae.Training;
using static TorchSharp.torch;

namespace Smae.Export;

/// <summary>Exports a SqueezeNet: images to probabilities and logits.</summary>
internal sealed class SqueezeNetExport : ModelExport
{
    private readonly SqueezeNet _reference;
    private readonly IReadOnlyList<string>? _names;

    public SqueezeNetExport(SqueezeNet network, ImagePreprocessing preprocessing, IReadOnlyList<string>? classNames, OnnxExportOptions options)
        : base([.. network.Weights], preprocessing, options)
    {
        Guard.NoFaults(Faults(network, preprocessing, classNames), nameof(network));
        _names = classNames;
        _reference = new SqueezeNet(network.Classes!.Value, network.Channels);
        ReferenceWeights.Copy(Weights, _reference.Weights);
        _reference.eval();
    }

    public override OnnxModelKind Kind => OnnxModelKind.Classifier;

    protected override string Description => "A SqueezeNet v1.1; weights bear torchvision's names.";

    public override Tensor[] Reference(Tensor images, bool[] hidden)
    {
        Tensor logits = _reference.forward(images);
        return [logits.softmax(-1), logits];
    }

    public override void Dispose() => _reference.Dispose();

    protected override GraphOutput[] Write(GraphBuilder graph, Products products)
    {
        string planes = new ImageInput(graph, Preprocessing, Options.Input).WritePlanes(Options.InputName);
        string logits = new SqueezeNetGraph(graph, Weights, products).Write(planes);
        return ClassOutputs.Write(graph, logits, _reference.Classes!.Value, Options);
    }

    protected override IEnumerable<(string Key, string Value)> Details() => ClassOutputs.Details(_names);

    protected override IEnumerable<string> Faults()
    {
        foreach (string fault in base.Faults().Concat(ClassOutputs.Faults(Options))) yield return fault;
        if (Options.Precision == OnnxPrecision.Int8)
            yield return "Precision is Int8, which quantises matrix products, and a SqueezeNet has convolutions only: choose Float32 or Float16.";
    }

    private static IEnumerable<string> Faults(SqueezeNet network, ImagePreprocessing preprocessing, IReadOnlyList<string>? classNames)
    {
        if (network.Classes is not { } classes)
        {
            yield return "The network is cut before its classifier: only a whole one can be exported.";
            yield break;
        }
        foreach (string fault in preprocessing.Faults()) yield return $"Preprocessing: {fault}";
        if (preprocessing.Channels != network.Channels)
            yield return $"Preprocessing gives {preprocessing.Channels} channels: the network expects {network.Channels}.";
        if (Math.Min(preprocessing.Height, preprocessing.Width) < SqueezeNet.MinimumSide)
            yield return $"Preprocessing gives {preprocessing.Height}x{preprocessing.Width}: "
                + $"SqueezeNet needs at least {SqueezeNet.MinimumSide} pixels a side.";
        if (classNames is not null && classNames.Count != classes)
            yield return $"There are {classNames.Count} names of classes: the network has {classes} classes.";
    }
}
